//! The binary files `cameras.bin` and `images.bin`, little-endian.

use super::model::{Cameras, Image, MODELS, intrinsics, parameters};

/// Size of a point of an image: x, y and the number of its 3-D point.
const POINT_BYTES: u64 = 24;

/// The rest of a file.
struct Bytes<'a> {
    rest: &'a [u8],
    /// The place of the record that is read.
    place: String,
}

impl Bytes<'_> {
    fn take<const N: usize>(&mut self, name: &str) -> Result<[u8; N], String> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else {
            let got = self.rest.len();
            return Err(self.fail(format!("{name}: expected {N} bytes, got {got} to the end")));
        };
        self.rest = rest;
        Ok(*taken)
    }

    fn u32(&mut self, name: &str) -> Result<u32, String> {
        self.take(name).map(u32::from_le_bytes)
    }

    fn u64(&mut self, name: &str) -> Result<u64, String> {
        self.take(name).map(u64::from_le_bytes)
    }

    fn f64(&mut self, name: &str) -> Result<f64, String> {
        self.take(name).map(f64::from_le_bytes)
    }

    /// Takes text up to a zero byte.
    fn text(&mut self, name: &str) -> Result<String, String> {
        let Some(end) = self.rest.iter().position(|&byte| byte == 0) else {
            return Err(self.fail(format!("{name}: expected a zero byte at its end, got none")));
        };
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn skip(&mut self, name: &str, count: u64, size: u64) -> Result<(), String> {
        let bytes = count
            .checked_mul(size)
            .and_then(|n| usize::try_from(n).ok());
        let Some(rest) = bytes.and_then(|bytes| self.rest.get(bytes..)) else {
            let got = self.rest.len();
            let expected = format!("{count} times {size} bytes");
            return Err(self.fail(format!("{name}: expected {expected}, got {got} to the end")));
        };
        self.rest = rest;
        Ok(())
    }

    fn fail(&self, error: impl AsRef<str>) -> String {
        format!("{}: {}", self.place, error.as_ref())
    }

    /// Checks that the file ends here.
    fn end(&self) -> Result<(), String> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(format!(
                "expected the end of the file, got {more} bytes more"
            )),
        }
    }
}

/// Starts a file: the bytes behind the number of its records, and that number.
fn records(bytes: &[u8]) -> Result<(Bytes<'_>, u64), String> {
    let mut bytes = Bytes {
        rest: bytes,
        place: "header".to_owned(),
    };
    let count = bytes.u64("COUNT")?;
    Ok((bytes, count))
}

/// Records of `CAMERA_ID MODEL_ID WIDTH HEIGHT PARAMS[]`.
pub(super) fn cameras(bytes: &[u8]) -> Result<Cameras, String> {
    let (mut bytes, count) = records(bytes)?;
    let mut cameras = Cameras::new();
    for i in 0..count {
        bytes.place = format!("camera {} of {count}", i + 1);
        let id = bytes.u32("CAMERA_ID")?;
        let number = bytes.u32("MODEL_ID")?;
        let model = MODELS.get(number as usize).ok_or_else(|| {
            let last = MODELS.len() - 1;
            bytes.fail(format!(
                "MODEL_ID: expected 0 to {last}, got {}",
                number.cast_signed()
            ))
        })?;
        let names = parameters(model).map_err(|error| bytes.fail(error))?;
        let size = [bytes.u64("WIDTH")?, bytes.u64("HEIGHT")?];
        let numbers: Result<Vec<f64>, String> = names.iter().map(|name| bytes.f64(name)).collect();
        let camera = intrinsics(model, size, &numbers?).map_err(|error| bytes.fail(error))?;
        if cameras.insert(id, camera).is_some() {
            return Err(bytes.fail(format!(
                "CAMERA_ID: expected another number, got {id} again"
            )));
        }
    }
    bytes.end()?;
    Ok(cameras)
}

/// Records of `IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME` and the points of the image.
pub(super) fn images(bytes: &[u8]) -> Result<Vec<Image>, String> {
    let (mut bytes, count) = records(bytes)?;
    let mut images = Vec::new();
    for i in 0..count {
        bytes.place = format!("image {} of {count}", i + 1);
        bytes.u32("IMAGE_ID")?;
        let mut quaternion = [0.0; 4];
        for (q, name) in quaternion.iter_mut().zip(["QW", "QX", "QY", "QZ"]) {
            *q = bytes.f64(name)?;
        }
        let mut translation = [0.0; 3];
        for (t, name) in translation.iter_mut().zip(["TX", "TY", "TZ"]) {
            *t = bytes.f64(name)?;
        }
        let camera = bytes.u32("CAMERA_ID")?;
        let name = bytes.text("NAME")?;
        let points = bytes.u64("POINTS2D")?;
        bytes.skip("POINTS2D", points, POINT_BYTES)?;
        images.push(Image {
            place: format!("{} ({name:?})", bytes.place),
            quaternion,
            translation,
            camera,
        });
    }
    bytes.end()?;
    Ok(images)
}
