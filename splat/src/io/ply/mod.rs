//! PLY files: the header, the rows of an element, and their meaning as a scene.

mod binary;
mod body;
mod collect;
mod compressed;
mod header;
mod layout;
mod rows;
mod text;
mod write;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::error::FileError;
use super::scene::SceneFile;
use body::Body;
use header::{Encoding, Header, Kind};
use rows::rows;

pub(crate) use write::write;

/// The number of bytes in which the header of a file is looked for before the file is read
/// completely.
const BEGINNING: usize = 1 << 16;

/// Reads the scene of a PLY file.
pub(crate) fn parse(file: &[u8]) -> Result<SceneFile, FileError> {
    let header = Header::parse(file)?;
    scene(&header, Body::new(&header))
}

/// Reads the scene of a PLY file of `length` bytes. Binary rows without lists are read in blocks, so
/// that the file need not fit into the memory beside the scene. Returns `None` if the file has
/// other rows.
pub(crate) fn read(file: &mut File, length: usize) -> Result<Option<SceneFile>, FileError> {
    let unreadable = FileError::Unreadable;
    let mut bytes = vec![0; BEGINNING.min(length)];
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    file.read_exact(&mut bytes).map_err(unreadable)?;
    let Ok(header) = Header::parse(&bytes) else {
        return Ok(None);
    };
    let mut properties = header
        .elements
        .iter()
        .flat_map(|element| &element.properties);
    let lists = properties.any(|property| matches!(property.kind, Kind::List { .. }));
    if lists || header.encoding == Encoding::Text {
        return Ok(None);
    }
    let start = bytes.len() - header.body.len();
    file.seek(SeekFrom::Start(start as u64))
        .map_err(unreadable)?;
    let rest = file.try_clone().map_err(unreadable)?;
    scene(&header, Body::in_file(&header, rest, length - start)).map(Some)
}

fn scene(header: &Header, mut body: Body) -> Result<SceneFile, FileError> {
    let mut scene = None;
    if compressed::is_compressed(header) {
        scene = Some(SceneFile::of(compressed::scene(&mut body, header)?));
    } else {
        for element in &header.elements {
            if element.name == "vertex" {
                scene = Some(collect::scene(&mut body, element)?);
            } else {
                rows(&mut body, element, &[], |_| {})?;
            }
        }
    }
    body.finish()?;
    scene.ok_or_else(|| {
        let got = header.names();
        FileError::content("elements", "vertex among them", got)
    })
}
