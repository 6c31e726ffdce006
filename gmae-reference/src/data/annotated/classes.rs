//! Maps of class indices in PNG files.

use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::entry::fault;
use super::files::bytes;
use super::item::Truth;
use super::lists::CLASSES;
use crate::data::error::DataError;
use crate::data::fault::{MAX_BYTES, corrupt, guarded};
use crate::data::pixel_mask::PixelMask;

/// The kind of file, for messages.
const WHAT: &str = "mask";
/// Index of pixels that the annotators left undecided: the borders of objects.
const BORDER: u8 = 255;

/// Reads the object of a map of class indices: the pixels of `class`, or the pixels of every class
/// except the background. The palette is not used.
///
/// # Errors
///
/// [`DataError::Annotation`] if the file is not such a map, an index is no class, or the object has
/// no pixel.
pub(super) fn truth(path: &Path, class: Option<u8>) -> Result<Truth, DataError> {
    let map = bytes(path).and_then(|bytes| guarded(|| indices(&bytes)));
    let map = map.map_err(|reason| {
        let expected = "a PNG file of class indices, with a palette or grey, of at most 8 bits";
        fault(WHAT, path, expected, reason)
    })?;
    let unknown = |&index: &u8| index > CLASSES && index != BORDER;
    if let Some(at) = map.values.iter().position(unknown) {
        let (x, y) = (at % map.width, at / map.width);
        let got = format!("{} in column {x}, row {y}", map.values[at]);
        return Err(fault(WHAT, path, "class indices 0 to 20, or 255", got));
    }
    let is = |wanted: &dyn Fn(u8) -> bool| {
        let values = map.values.iter().map(|&index| wanted(index)).collect();
        PixelMask::new(map.width, map.height, values)
    };
    let foreground = is(&|index| match class {
        Some(class) => index == class,
        None => (1..=CLASSES).contains(&index),
    })?;
    if foreground.count() == 0 {
        let expected = match class {
            Some(class) => format!("pixels of class {class}"),
            None => "pixels of an object".to_owned(),
        };
        return Err(fault(WHAT, path, expected, "none"));
    }
    let border = is(&|index| index == BORDER)?;
    Ok(Truth {
        foreground,
        undecided: (border.count() > 0).then_some(border),
        rectangle: None,
    })
}

/// One index per pixel, row by row.
struct Indices {
    width: usize,
    height: usize,
    values: Vec<u8>,
}

/// Decodes the stored values of a PNG file with a palette or of grey values.
fn indices(bytes: &[u8]) -> Result<Indices, String> {
    let limits = Limits {
        bytes: MAX_BYTES as usize,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(corrupt)?;
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    let bits: usize = match (info.color_type, info.bit_depth) {
        (ColorType::Indexed | ColorType::Grayscale, BitDepth::One) => 1,
        (ColorType::Indexed | ColorType::Grayscale, BitDepth::Two) => 2,
        (ColorType::Indexed | ColorType::Grayscale, BitDepth::Four) => 4,
        (ColorType::Indexed | ColorType::Grayscale, BitDepth::Eight) => 8,
        (colours, bits) => return Err(format!("{colours:?} values of {} bits", bits as u8)),
    };
    let len = reader
        .output_buffer_size()
        .filter(|&len| len as u64 <= MAX_BYTES && width as u64 * height as u64 <= MAX_BYTES)
        .ok_or_else(|| format!("{width} x {height} pixels, which are too many"))?;
    let mut packed = vec![0; len];
    reader.next_frame(&mut packed).map_err(corrupt)?;
    // The data behind the picture hold the checksum of the compressed stream.
    reader.finish().map_err(corrupt)?;
    let mut values = Vec::with_capacity(width * height);
    for row in packed.chunks_exact((width * bits).div_ceil(8).max(1)) {
        values.extend((0..width).map(|x| value(row, x, bits)));
    }
    Ok(Indices {
        width,
        height,
        values,
    })
}

/// Returns value `x` of a row of values of `bits` bits. The first value has the highest bits.
fn value(row: &[u8], x: usize, bits: usize) -> u8 {
    let at = x * bits;
    let shifted = row[at / 8] >> (8 - bits - at % 8);
    // For 8 bits the mask is 255.
    shifted & (0xFF >> (8 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes values as a PNG file of `bits` bits with a palette, or grey.
    fn encoded(width: u32, values: &[u8], bits: BitDepth, colours: ColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        let height = values.len() as u32 / width;
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(colours);
        encoder.set_depth(bits);
        if colours == ColorType::Indexed {
            encoder.set_palette((0..3 << bits as u8).map(|v| v as u8).collect::<Vec<_>>());
        }
        let bits = bits as usize;
        let mut packed = Vec::new();
        for row in values.chunks(width as usize) {
            let mut out = vec![0_u8; (row.len() * bits).div_ceil(8)];
            for (x, value) in row.iter().enumerate() {
                out[x * bits / 8] |= value << (8 - bits - x * bits % 8);
            }
            packed.extend(out);
        }
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&packed).expect("pixels");
        writer.finish().expect("an end");
        bytes
    }

    #[test]
    fn indices_are_read_at_every_depth() {
        for colours in [ColorType::Indexed, ColorType::Grayscale] {
            for bits in [
                BitDepth::One,
                BitDepth::Two,
                BitDepth::Four,
                BitDepth::Eight,
            ] {
                let levels = 1_u32 << bits as u8;
                let values: Vec<u8> = (0..5 * 11_u32).map(|i| (i * 7 % levels) as u8).collect();
                let map = indices(&encoded(11, &values, bits, colours)).expect("a map");
                assert_eq!((map.width, map.height), (11, 5));
                assert_eq!(map.values, values, "{colours:?} {bits:?}");
            }
        }
    }

    #[test]
    fn other_colours_and_damaged_files_are_refused() {
        let file = encoded(4, &[0; 48], BitDepth::Eight, ColorType::Indexed);
        assert!(indices(&file).is_ok());
        for len in 0..file.len() - 12 {
            assert!(indices(&file[..len]).is_err(), "{len} of {}", file.len());
        }
        let mut colour = Vec::new();
        let mut encoder = png::Encoder::new(&mut colour, 2, 1);
        encoder.set_color(ColorType::Rgb);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&[0; 6]).expect("pixels");
        writer.finish().expect("an end");
        let error = indices(&colour).err().expect("colours");
        assert!(error.contains("Rgb values of 8 bits"), "{error}");
    }
}
