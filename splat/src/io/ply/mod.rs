//! PLY files: the header, the rows of an element, and their meaning as a scene.

mod binary;
mod body;
mod header;
mod layout;
mod rows;
mod text;

use super::error::FileError;
use super::scene::StoredScene;
use body::Body;
use header::Header;
use rows::rows;

/// Reads the scene of a PLY file.
pub(crate) fn parse(file: &[u8]) -> Result<StoredScene, FileError> {
    let header = Header::parse(file)?;
    let mut body = Body::new(&header);
    let mut scene = None;
    for element in &header.elements {
        if element.name == "vertex" {
            scene = Some(layout::scene(&mut body, element)?);
        } else {
            rows(&mut body, element, &[], |_| {})?;
        }
    }
    body.finish()?;
    scene.ok_or_else(|| {
        let names = header.elements.iter().map(|element| element.name.as_str());
        let names: Vec<&str> = names.collect();
        let got = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        FileError::content("elements", "vertex among them", got)
    })
}
