//! PASCAL VOC folders: masks of classes, and boxes.

use std::path::{Path, PathBuf};

use roxmltree::{Document, Node, ParsingOptions};

use super::entry::{Entries, Entry, Label, fault};
use super::files::{check_folder, stem, text};
use super::lists::{Line, read};
use super::options::AnnotatedOptions;
use crate::data::error::DataError;
use crate::data::rectangle::Rectangle;

/// Folder of the photographs.
pub(super) const PHOTOGRAPHS: &str = "JPEGImages";
/// Folder of the boxes.
const BOXES: &str = "Annotations";
/// Folders of masks, the preferred one first.
const MASKS: [&str; 2] = ["SegmentationClassAug", "SegmentationClass"];
/// The list that is read by default.
const LIST: [&str; 3] = ["ImageSets", "Segmentation", "val.txt"];
/// The kind of a file of boxes, for messages.
const WHAT: &str = "boxes";
/// Largest number of elements in a file of boxes.
const MAX_NODES: u32 = 1 << 20;

/// Lists the images of a fold list with the masks of their classes.
///
/// # Errors
///
/// [`DataError::Annotation`] if the list cannot be used, there is no folder of masks, or a mask is
/// missing.
pub(super) fn masks(root: &Path, options: &AnnotatedOptions) -> Result<Entries, DataError> {
    let photographs = root.join(PHOTOGRAPHS);
    check_folder(&photographs)?;
    let folder = mask_folder(root, options)?;
    let list = options.list.clone();
    let list = list.unwrap_or_else(|| {
        LIST.iter()
            .fold(root.to_owned(), |path, part| path.join(part))
    });
    let entry = |line: Line| {
        let image = photographs.join(format!("{}.jpg", line.name));
        let mask = folder.join(format!("{}.png", line.name));
        if !mask.is_file() {
            let expected = format!("the mask that the list {} names", list.display());
            return Err(fault("mask", &mask, expected, "no such file"));
        }
        Ok(Entry {
            name: match line.class {
                Some(class) => format!("{}__{class:02}", line.name),
                None => line.name,
            },
            image,
            label: Label::Classes {
                mask,
                class: line.class,
            },
        })
    };
    let entries: Result<Vec<Entry>, DataError> = read(&list)?.into_iter().map(entry).collect();
    Ok(Entries {
        entries: entries?,
        remarks: Vec::new(),
    })
}

fn mask_folder(root: &Path, options: &AnnotatedOptions) -> Result<PathBuf, DataError> {
    if let Some(name) = &options.masks {
        let folder = root.join(name);
        check_folder(&folder)?;
        return Ok(folder);
    }
    let found = MASKS
        .iter()
        .map(|name| root.join(name))
        .find(|f| f.is_dir());
    found.ok_or_else(|| {
        let expected = "SegmentationClassAug or SegmentationClass in it";
        fault("PASCAL VOC folder", root, expected, "neither")
    })
}

/// Lists the images with one object whose box is small.
///
/// # Errors
///
/// [`DataError::Annotation`] if a file of boxes cannot be used, or the list names a missing file.
pub(super) fn boxes(root: &Path, options: &AnnotatedOptions) -> Result<Entries, DataError> {
    let photographs = root.join(PHOTOGRAPHS);
    check_folder(&photographs)?;
    let mut entries = Vec::new();
    let (mut several, mut large) = (0, 0);
    for file in box_files(root, options)? {
        let Objects { size, boxes } = objects(&file)?;
        let [rectangle] = boxes.as_slice() else {
            several += 1;
            continue;
        };
        if rectangle.share(size) >= options.largest_box {
            large += 1;
            continue;
        }
        let name = stem(&file);
        entries.push(Entry {
            image: photographs.join(format!("{name}.jpg")),
            name,
            label: Label::Boxed {
                source: file,
                size,
                rectangle: *rectangle,
            },
        });
    }
    let remarks = if several + large > 0 {
        vec![format!(
            "left out {several} images without exactly one object, and {large} whose box is not \
             below {} of the image",
            options.largest_box
        )]
    } else {
        Vec::new()
    };
    Ok(Entries { entries, remarks })
}

/// Returns the files of boxes: those of the list, or all.
fn box_files(root: &Path, options: &AnnotatedOptions) -> Result<Vec<PathBuf>, DataError> {
    let folder = root.join(BOXES);
    check_folder(&folder)?;
    if let Some(list) = &options.list {
        let lines = read(list)?.into_iter();
        return Ok(lines.map(|line| folder.join(line.name + ".xml")).collect());
    }
    let unlistable = |error: std::io::Error| DataError::List {
        path: folder.clone(),
        reason: error.to_string(),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unlistable)? {
        let path = entry.map_err(unlistable)?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The objects of an image.
struct Objects {
    /// Width and height of the image.
    size: [usize; 2],
    boxes: Vec<Rectangle>,
}

/// Reads a file of boxes. Columns and rows are counted from 1 in it, and the last ones belong to
/// the box.
fn objects(path: &Path) -> Result<Objects, DataError> {
    let text = text(WHAT, path)?;
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text, options)
        .map_err(|error| fault(WHAT, path, "an XML file", error.to_string()))?;
    let root = document.root_element();
    let size = child(root, "size", path)?;
    let side = |name| -> Result<usize, DataError> {
        let side = number(size, name, path)?;
        if side >= 1.0 {
            return Ok(side as usize);
        }
        let got = format!("{name} {side}");
        Err(fault(WHAT, path, "an image of at least 1 x 1 pixels", got))
    };
    let size = [side("width")?, side("height")?];
    let nodes = root.children().filter(|node| node.has_tag_name("object"));
    let boxes: Result<Vec<_>, _> = nodes
        .map(|object| rectangle(child(object, "bndbox", path)?, size, path))
        .collect();
    Ok(Objects {
        size,
        boxes: boxes?,
    })
}

fn rectangle(node: Node, size: [usize; 2], path: &Path) -> Result<Rectangle, DataError> {
    let corner = |name| number(node, name, path);
    let [x0, y0, x1, y1] = [
        corner("xmin")?,
        corner("ymin")?,
        corner("xmax")?,
        corner("ymax")?,
    ];
    // Some corners in the published files are fractions. They are rounded to the nearest pixel.
    let inside = x0.round() >= 1.0
        && y0.round() >= 1.0
        && x1.round() <= size[0] as f64
        && y1.round() <= size[1] as f64;
    let at = |v: f64| v.round() as usize;
    let rectangle = inside.then(|| Rectangle::new(at(x0) - 1, at(y0) - 1, at(x1), at(y1)));
    rectangle.flatten().ok_or_else(|| {
        let expected = format!("a box inside the {} x {} pixels", size[0], size[1]);
        fault(WHAT, path, expected, format!("{x0}, {y0} to {x1}, {y1}"))
    })
}

fn child<'a, 'input>(
    node: Node<'a, 'input>,
    name: &str,
    path: &Path,
) -> Result<Node<'a, 'input>, DataError> {
    let found = node.children().find(|child| child.has_tag_name(name));
    found.ok_or_else(|| {
        let parent = node.tag_name().name();
        fault(WHAT, path, format!("a <{name}> in <{parent}>"), "none")
    })
}

fn number(node: Node, name: &str, path: &Path) -> Result<f64, DataError> {
    let text = child(node, name, path)?.text().unwrap_or_default().trim();
    // Larger numbers are no sides of images.
    let number = text.parse().ok().filter(|v: &f64| (0.0..=1e9).contains(v));
    number.ok_or_else(|| {
        let expected = format!("a number in <{name}>");
        fault(WHAT, path, expected, format!("{text:?}"))
    })
}
