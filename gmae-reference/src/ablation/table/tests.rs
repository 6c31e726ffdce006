use super::*;

const GOOD: &str = r#"
title = "A table"
config = "nano"
seeds = [3, 1]
measures = ["ridge", "masked_mse"]
[settings]
epochs = 5
[[group]]
name = "k"
paper = "no numbers"
[[group.row]]
name = "64"
[[group.row]]
name = "128"
[group.row.settings]
gaussians = 128
epochs = 6
[group.row.paper]
linear = 83.0
"fine-tune" = 83
note = "text"
"#;

fn parsed(text: &str) -> Result<Table, String> {
    Table::parse(Path::new("a.toml"), text)
}

#[test]
fn a_table_has_the_settings_of_preset_table_and_row() {
    let table = parsed(GOOD).expect("a table");
    assert_eq!((&*table.title, table.preset), ("A table", Preset::Nano));
    assert_eq!((&table.seeds[..], table.images), (&[3, 1][..], None));
    assert_eq!(table.measures, ["ridge", "masked_mse"]);
    let [group] = &table.groups[..] else {
        panic!("one group");
    };
    assert_eq!(group.paper.as_deref(), Some("no numbers"));
    let first = Config {
        epochs: 5,
        ..Preset::Nano.config()
    };
    let second = Config {
        epochs: 6,
        gaussians: 128,
        ..Preset::Nano.config()
    };
    let configs: Vec<Config> = group.rows.iter().map(|row| row.config).collect();
    assert_eq!(configs, [first, second]);
    assert!(group.rows[0].paper.is_empty());
    let numbers = [("fine-tune", "83"), ("linear", "83.0"), ("note", "text")];
    let numbers = numbers.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(group.rows[1].paper, BTreeMap::from(numbers));
}

#[test]
fn errors_name_the_row_and_the_key() {
    let row = "group \"k\", row \"128\": ";
    for (old, new, expected) in [
        (
            "gaussians =",
            "gausians =",
            format!("{row}settings.gausians: expected one of "),
        ),
        (
            "gaussians = 128",
            "gaussians = 0.5",
            format!("{row}settings.gaussians = 0.5: "),
        ),
        (
            "gaussians = 128",
            "gaussians = 0",
            format!("{row}setting gaussians: expected at least 1, got 0"),
        ),
        (
            "linear = 83.0",
            "linear = true",
            format!("{row}paper.linear: expected a number"),
        ),
        (
            "[group.row.paper]",
            "[group.row.papers]",
            format!("{row}unknown field `papers`"),
        ),
        (
            "name = \"128\"",
            "name = 128",
            "group \"k\", row 2: invalid type: integer".into(),
        ),
        (
            "name = \"128\"",
            "",
            "group \"k\", row 2: missing field `name`".into(),
        ),
        (
            "name = \"128\"",
            "name = \"64\"",
            "group \"k\": row: expected each once".into(),
        ),
        (
            "paper = ",
            "papers = ",
            "group \"k\": unknown field `papers`".into(),
        ),
        ("name = \"k\"", "", "group 1: missing field `name`".into()),
        (
            "epochs = 5",
            "epoch = 5",
            "settings.epoch: expected one of ".into(),
        ),
        (
            "epochs = 5",
            "seed = 5",
            "settings.seed: expected the list `seeds`".into(),
        ),
        (
            "seeds = [3, 1]",
            "seeds = [3, 3]",
            "seeds: expected each once, got 3 twice".into(),
        ),
        (
            "seeds = [3, 1]",
            "seeds = []",
            "seeds: expected at least one, got none".into(),
        ),
        (
            "seeds = [3, 1]",
            "seeds = [-1]",
            "line 4: invalid value: integer `-1`".into(),
        ),
        (
            "seeds = [3, 1]",
            "seed = 1",
            "line 4: unknown field `seed`".into(),
        ),
        (
            "config = \"nano\"",
            "config = \"huge\"",
            "line 3: unknown variant `huge`".into(),
        ),
        ("config = \"nano\"", "config = \"nano", "line 3: ".into()),
        (
            "config =",
            "images = 0\nconfig =",
            "images: expected at least 1, got 0".into(),
        ),
        (GOOD, "", "missing field `title`".into()),
    ] {
        let text = GOOD.replacen(old, new, 1);
        assert_ne!(text, GOOD);
        let error = parsed(&text).expect_err(new);
        assert!(error.contains(&expected), "{new}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let groups = GOOD.split("[[group]]").next().expect("the top");
    let error = parsed(groups).expect_err("no group");
    assert_eq!(error, "group: expected at least one, got none");
}

#[test]
fn errors_name_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("mine.toml");
    let error = Table::read(&path).expect_err("no file");
    assert!(error.to_string().contains("mine.toml"), "{error}");
    for bytes in [&b"title"[..], b"\xff"] {
        std::fs::write(&path, bytes).expect("writing");
        let error = Table::read(&path).expect_err("no table").to_string();
        assert!(
            error.starts_with("table ") && error.contains("mine.toml"),
            "{error}"
        );
    }
}
