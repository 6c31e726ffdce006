//! Folders of labelled pictures, and small pre-trained runs.

use image::{Rgb, RgbImage};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::place::{Place, TINY, succeeded};

/// The classes: noise around red, around green, and around blue.
pub(crate) const CLASSES: [&str; 3] = ["blue", "green", "red"];

/// Flags of the labelled folders.
pub(crate) const DATA: [&str; 4] = ["--data", "train", "--test", "test"];

/// Writes a picture of 8 px of a class. `number` determines its noise.
pub(crate) fn picture(place: &Place, name: &str, class: usize, number: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    let pixel = |_, _| {
        let mut colour: [u8; 3] = std::array::from_fn(|_| rng.random_range(0..100));
        colour[2 - class] += 150;
        Rgb(colour)
    };
    let path = place.path(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    RgbImage::from_fn(8, 8, pixel).save(path).expect("saving");
}

/// A place with 12 pictures in `train` and 6 in `test`, in three classes.
pub(crate) fn labelled() -> Place {
    let place = Place::new(0);
    for (folder, each) in [("train", 4), ("test", 2)] {
        for (class, name) in CLASSES.iter().enumerate() {
            for i in 0..each {
                let number = 100 * each + 10 * class as u64 + i;
                picture(&place, &format!("{folder}/{name}/{i}.png"), class, number);
            }
        }
    }
    place
}

/// Pre-trains two runs for a step: `gmae`, and `mae` with the same encoder.
pub(crate) fn pretrained() -> Place {
    let place = labelled();
    for method in ["gmae", "mae"] {
        let run = ["pretrain", "--data", "train", "--output", method];
        let more = ["--method", method, "--stop-at", "1"];
        succeeded(&place.run(&[&run, TINY, &more].concat()));
    }
    place
}

/// Returns the row of `name` in a table of Markdown: the text of its cells, without the marks of
/// the best values.
pub(crate) fn row(table: &str, name: &str) -> Vec<String> {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        let cells = cells.map(|cell| cell.trim().replace("**", ""));
        cells
            .map(|cell| cell.trim_end_matches('†').to_owned())
            .collect()
    };
    let mut rows = table
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(cells);
    let found = rows.find(|cells| cells[0] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {table}"))
}

/// Returns `text` with single spaces instead of line breaks.
pub(crate) fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Place {
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect(name)
    }
}
