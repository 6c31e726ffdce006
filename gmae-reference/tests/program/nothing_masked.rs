//! If every patch is visible, there is no error on masked patches. The program must state this
//! instead of printing a number.

use crate::place::{Place, TINY, succeeded, text};

const ALL_VISIBLE: &[&str] = &["--mask-ratio", "0", "--loss", "all"];

/// Checks that a line contains no mean over nothing and no quotient of zeros.
fn is_sound(line: &str) {
    for word in ["NaN", "inf", "-0.0"] {
        assert!(!line.contains(word), "{word} in {line:?}");
    }
}

#[test]
fn reconstruct_says_that_nothing_is_masked() {
    let place = Place::new(4);
    succeeded(&place.pretrain(&[ALL_VISIBLE, &["--stop-at", "1"]].concat()));
    let output = place.run(&[
        "reconstruct",
        "--checkpoint",
        "out",
        "--image",
        "data/0.png",
        "--output",
        "pictures",
    ]);
    succeeded(&output);
    let line = text(&output.stdout);
    assert!(line.contains("nothing is masked"), "{line}");
    is_sound(&line);
    assert_eq!(place.files("pictures").len(), 4);
}

#[test]
fn demo_says_that_nothing_is_masked() {
    let place = Place::new(0);
    let arguments = [
        &["demo", "--seconds", "0.3", "--output", "demo"],
        TINY,
        ALL_VISIBLE,
    ]
    .concat();
    let output = place.run(&arguments);
    succeeded(&output);
    let lines = text(&output.stdout);
    assert!(lines.contains("nothing is masked"), "{lines}");
    is_sound(&lines);
    let report = std::fs::read_to_string(place.path("demo/report.html")).expect("a report");
    assert!(report.contains("nothing is masked"));
    assert!(!report.contains("NaN") && !report.contains("-0<") && !report.contains("loss 0"));
    assert!(
        !report.contains("class=\"baseline\""),
        "no line for a baseline that is none"
    );
}
