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

/// Replaces `old` by `new` in the good table and expects an error that contains `part`.
fn refused([old, new, part]: [&str; 3]) {
    let text = GOOD.replacen(old, new, 1);
    assert_ne!(text, GOOD);
    let error = parsed(&text).expect_err(new);
    assert!(error.contains(part), "{new}: {error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn errors_name_the_row_and_the_key() {
    for [old, new, part] in [
        [
            "gaussians =",
            "gausians =",
            "settings.gausians: expected one of ",
        ],
        [
            "gaussians = 128",
            "gaussians = 0.5",
            "settings.gaussians = 0.5: ",
        ],
        [
            "gaussians = 128",
            "gaussians = 0",
            "setting gaussians: expected at least 1, got 0",
        ],
        [
            "linear = 83.0",
            "linear = true",
            "paper.linear: expected a number or a text, got true",
        ],
        [
            "[group.row.paper]",
            "[group.row.papers]",
            "unknown field `papers`",
        ],
    ] {
        refused([old, new, &format!("group \"k\", row \"128\": {part}")]);
    }
    let name = "name = \"128\"";
    refused([
        name,
        "name = 128",
        "group \"k\", row 2: invalid type: integer `128`",
    ]);
    refused([name, "", "group \"k\", row 2: missing field `name`"]);
    refused([
        name,
        "name = \"64\"",
        "group \"k\": row: expected each once, got \"64\" twice",
    ]);
}

#[test]
fn errors_name_the_group_or_the_line() {
    let (seeds, config) = ("seeds = [3, 1]", "config = \"nano\"");
    for case in [
        [
            "paper = ",
            "papers = ",
            "group \"k\": unknown field `papers`",
        ],
        ["name = \"k\"", "", "group 1: missing field `name`"],
        [
            "epochs = 5",
            "epoch = 5",
            "settings.epoch: expected one of ",
        ],
        [
            "epochs = 5",
            "seed = 5",
            "settings.seed: expected the list `seeds`",
        ],
        [
            seeds,
            "seeds = [3, 3]",
            "seeds: expected each once, got 3 twice",
        ],
        [
            seeds,
            "seeds = []",
            "seeds: expected at least one, got none",
        ],
        [seeds, "seeds = [-1]", "line 4: invalid value: integer `-1`"],
        [seeds, "seed = 1", "line 4: unknown field `seed`"],
        [
            config,
            "config = \"huge\"",
            "line 3: unknown variant `huge`",
        ],
        [config, "config = \"nano", "line 3: "],
        [
            "config =",
            "images = 0\nconfig =",
            "images: expected at least 1, got 0",
        ],
        [GOOD, "", "missing field `title`"],
    ] {
        refused(case);
    }
    let top = GOOD.split("[[group]]").next().expect("the top");
    let error = parsed(top).expect_err("no group");
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

#[test]
fn a_group_shows_some_of_the_measures() {
    let text = |measures: &str| {
        format!(
            "title = \"T\"\nconfig = \"nano\"\nseeds = [0]\nmeasures = [\"ridge\", \"knn\"]\n\
             [[group]]\nname = \"g\"\n{measures}\n[[group.row]]\nname = \"r\"\n"
        )
    };
    let parse = |measures: &str| Table::parse(Path::new("t.toml"), &text(measures));
    let shown = |measures: &str| parse(measures).expect("a table").groups[0].measures.clone();
    assert_eq!(shown(""), ["ridge", "knn"]);
    assert_eq!(shown("measures = [\"knn\"]"), ["knn"]);
    for (measures, words) in [
        (
            "measures = [\"linear\"]",
            "expected some of ridge, knn, got linear",
        ),
        ("measures = []", "measures: expected at least one, got none"),
        ("measures = [\"knn\", \"knn\"]", "got \"knn\" twice"),
    ] {
        let reason = parse(measures).expect_err(measures);
        assert!(
            reason.starts_with("group \"g\": ") && reason.ends_with(words),
            "{reason}"
        );
    }
}
