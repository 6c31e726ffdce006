//! Odd files of cameras are refused in one line that names the file, the entry and the field.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::camera_files::read;
use crate::files::scene;
use crate::pinhole::{CAMERA, Folder};
use crate::{run, text};

/// Asserts that a file of cameras is refused in one line that has its name and `words`.
#[track_caller]
pub(crate) fn assert_camera_error(path: &Path, name: &str, words: &[&str]) {
    let error = read(path, None).expect_err("it is invalid");
    assert!(
        error.contains(name) && error.lines().count() == 1,
        "{error}"
    );
    assert!(
        words.iter().all(|word| error.contains(word)),
        "{words:?}: {error}"
    );
}

/// Returns the file after one value was replaced, by its JSON pointer.
fn changed(mut file: Value, pointer: &str, value: Value) -> String {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = file.pointer_mut(parent).expect("a member");
    match key.parse::<usize>() {
        Ok(i) if parent.is_array() => parent[i] = value,
        _ => parent[key] = value,
    }
    file.to_string()
}

/// Asserts that a JSON file is refused.
#[track_caller]
fn refused(folder: &Folder, contents: &str, words: &[&str]) {
    let path = folder.write("odd.json", contents);
    assert_camera_error(&path, "odd.json: ", words);
}

#[test]
fn files_that_hold_no_cameras_are_refused() {
    let folder = Folder::new();
    for contents in [
        "",
        "{",
        "[NaN]",
        "[1e999]",
        &"[".repeat(100_000),
        "\u{feff}[]",
    ] {
        refused(&folder, contents, &["JSON", "line 1"]);
    }
    refused(&folder, "3", &["object", "array", "got 3"]);
    refused(&folder, "{}", &["frames: expected a value"]);
    refused(&folder, "[]", &["at least one camera"]);
    refused(&folder, "[5]", &["[0].width: expected a value"]);
    refused(&folder, r#"{"frames": []}"#, &["at least one camera"]);
    refused(
        &folder,
        r#"{"frames": 1}"#,
        &["frames: expected an array, got 1"],
    );
    // The program says it in one line.
    let (path, scene) = (
        folder.write("odd.json", "3"),
        folder.write("scene.ply", scene(5, 0)),
    );
    let output = run("view_scene", &[text(&scene), "--cameras", text(&path)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(2) && said.lines().count() == 1,
        "{said}"
    );
    assert!(said.contains("odd.json: expected an object"), "{said}");
}

#[test]
fn lenses_with_distortion_are_refused() {
    let folder = Folder::new();
    let file = CAMERA.transforms();
    for (pointer, value, words) in [
        (
            "/k1",
            json!(0.01),
            "k1: expected 0, a camera without lens distortion, got 0.01",
        ),
        (
            "/frames/0/p1",
            json!(-1),
            "frames[0].p1: expected 0, a camera without",
        ),
        (
            "/distortion_params",
            json!([0, 0.5]),
            "distortion_params[1]: expected 0",
        ),
        (
            "/camera_model",
            json!("OPENCV_FISHEYE"),
            r#"pinhole camera, got "OPENCV_FISHEYE""#,
        ),
        ("/is_fisheye", json!(true), "is_fisheye: expected false"),
    ] {
        refused(&folder, &changed(file.clone(), pointer, value), &[words]);
    }
}

#[test]
fn odd_intrinsics_of_frames_are_refused() {
    let folder = Folder::new();
    let file = CAMERA.transforms();
    for (pointer, value, words) in [
        ("/w", json!(0), "w: expected a whole number of 1 to"),
        ("/w", json!(1.5), "w: expected a whole number of 1 to"),
        ("/h", json!(5e6), "h: expected a whole number of 1 to"),
        ("/h", Value::Null, "frames[0].h: expected a value"),
        ("/fl_x", json!(0), "fl_x: expected a number above 0, got 0"),
        (
            "/fl_y",
            json!("150"),
            r#"fl_y: expected a number, got "150""#,
        ),
        (
            "/fl_x",
            Value::Null,
            "frames[0].fl_x: expected fl_x or camera_angle_x",
        ),
        ("/cx", json!([]), "cx: expected a number, got []"),
    ] {
        refused(&folder, &changed(file.clone(), pointer, value), &[words]);
    }
    for angle in [0.0, -1.0, 3.2, 7.0, 1e300] {
        let mut file = file.clone();
        file["fl_x"] = Value::Null;
        let file = changed(file, "/camera_angle_x", json!(angle));
        refused(
            &folder,
            &file,
            &["camera_angle_x: expected an angle between 0 and pi"],
        );
    }
}

#[test]
fn odd_poses_of_frames_are_refused() {
    let folder = Folder::new();
    let file = CAMERA.transforms();
    let matrix = "/frames/0/transform_matrix";
    for (pointer, value, words) in [
        (
            matrix,
            Value::Null,
            "frames[0].transform_matrix: expected a value",
        ),
        (
            matrix,
            json!([[1]]),
            "frames[0].transform_matrix[0]: expected 4 numbers",
        ),
        (
            matrix,
            json!([]),
            "frames[0].transform_matrix: expected 4 rows of 4 numbers",
        ),
        (
            "/frames/0/transform_matrix/3/0",
            json!(1),
            "frames[0].transform_matrix: ",
        ),
        (
            "/frames/0/transform_matrix/1/1",
            json!("a\nb"),
            "transform_matrix[1][1]: expected a",
        ),
        ("/frames/0/transform_matrix/1/1", json!(7), "a rotation"),
    ] {
        refused(&folder, &changed(file.clone(), pointer, value), &[words]);
    }
}

#[test]
fn odd_cameras_of_a_trained_scene_are_refused() {
    let folder = Folder::new();
    let file = CAMERA.trained();
    for (pointer, value, words) in [
        ("/0/width", json!(-1), "[0].width: expected a whole number"),
        ("/0/height", Value::Null, "[0].height: expected a value"),
        (
            "/0/fx",
            json!(-2),
            "[0].fx: expected a number above 0, got -2",
        ),
        ("/0/fy", json!({}), "[0].fy: expected a number, got {}"),
        (
            "/0/position",
            json!([1, 2]),
            "[0].position: expected 3 numbers, got [1,2]",
        ),
        ("/0/rotation/2", json!([0, 0, 0]), "[0].rotation: "),
    ] {
        refused(&folder, &changed(file.clone(), pointer, value), &[words]);
    }
}

#[test]
fn odd_cameras_of_colmap_are_refused_by_line_and_field() {
    let folder = Folder::new();
    let [_, images] = CAMERA.colmap_text();
    for (cameras, words) in [
        (
            "7 OPENCV 9 9 1 1 1 1 0 0 0 0",
            r#"line 1: MODEL: expected SIMPLE_PINHOLE or PINHOLE, got "OPENCV""#,
        ),
        (
            "\n# a\nx PINHOLE",
            "line 3: CAMERA_ID: expected a whole number",
        ),
        ("7", "line 1: MODEL: expected a value"),
        ("7 PINHOLE 0 9 1 1 1 1", "line 1: WIDTH: expected 1 to"),
        (
            "7 PINHOLE 9 -9 1 1 1 1",
            "line 1: HEIGHT: expected a whole number",
        ),
        ("7 PINHOLE 9 9 1 1 1", "line 1: CY: expected a value"),
        ("7 PINHOLE 9 9 1 1 1 1 5", "line 1: expected 4 PARAMS"),
        (
            "7 PINHOLE 9 9 nan 1 1 1",
            "line 1: FX: expected a finite number above 0",
        ),
        (
            "7 PINHOLE 9 9 1 0 1 1",
            "line 1: FY: expected a finite number above 0, got 0",
        ),
        (
            "7 SIMPLE_PINHOLE 9 9 1 inf 1",
            "line 1: CX: expected a finite number, got inf",
        ),
        (
            "7 SIMPLE_PINHOLE 9 9 1 1 1\n7 SIMPLE_PINHOLE 9 9 1 1 1",
            "line 2: CAMERA_ID",
        ),
    ] {
        let path = folder.colmap_text("odd", [cameras.to_owned(), images.clone()]);
        assert_camera_error(&path, "cameras.txt: ", &[words]);
    }
}

#[test]
fn odd_images_of_colmap_are_refused_by_line_and_field() {
    let folder = Folder::new();
    let [good_cameras, _] = CAMERA.colmap_text();
    for (images, words) in [
        ("", "at least one camera"),
        ("1 1 0 0", "line 1: QZ: expected a value"),
        (
            "1 1 0 0 0 0 0 x 7 a",
            r#"line 1: TZ: expected a number, got "x""#,
        ),
        (
            "1 1 0 0 0 0 0 0 8 a",
            r#"line 1 ("a"): CAMERA_ID: expected a camera"#,
        ),
        ("1 0 0 0 0 0 0 0 7 a", r#"line 1 ("a"): "#),
        ("1 1 0 0 0 0 0 nan 7 a", r#"line 1 ("a"): "#),
        ("1 1 0 0 0 0 0 0 7", "line 1: NAME: expected a value"),
        (
            "# a\n1 1 0 0 0 0 0 0 7 a\n\nx",
            "line 4: IMAGE_ID: expected a whole number",
        ),
    ] {
        let name = if images.is_empty() {
            "odd: "
        } else {
            "images.txt: "
        };
        let path = folder.colmap_text("odd", [good_cameras.clone(), images.to_owned()]);
        assert_camera_error(&path, name, &[words]);
    }
    let path = folder.write("odd/images.txt", b"1 1 0\n\xff");
    let path = path.parent().expect("a folder");
    assert_camera_error(path, "images.txt: ", &["line 2: expected text in UTF-8"]);
    fs::remove_file(path.join("images.txt")).expect("it is there");
    assert_camera_error(path, "images.txt: ", &["cannot be read"]);
    let empty = folder.0.path().join("empty");
    fs::create_dir(&empty).expect("the folder is writable");
    let [first, second] = ["sparse/0", "sparse"].map(|name| empty.join(name));
    let places = [
        "cameras.txt and images.txt",
        &format!(
            "in this folder, in {} or in {}, got none",
            text(&first),
            text(&second)
        ),
    ];
    assert_camera_error(&empty, "empty: ", &places);
    assert_camera_error(&empty.join("none"), "none: ", &["cannot be read"]);
    #[cfg(unix)]
    assert_camera_error(Path::new("/dev/zero"), "/dev/zero: ", &["expected a file"]);
}
