//! Checksums of the feature images and of all gradients. If two builds by one version of the
//! compiler print the same checksums, they compute the same bits.

use std::hash::{DefaultHasher, Hash, Hasher};

use benches::Bench;
use serde::Serialize;
use splat::RenderError;

use crate::table::{Tables, markdown};

/// The checksums of one workload.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    workload: String,
    image: String,
    gradients: String,
}

/// Renders every workload once, and computes its gradients once.
pub(crate) fn measure(benches: &[Bench]) -> Result<Vec<Row>, RenderError> {
    let row = |bench: &Bench| {
        let (image, gradients) = bench.results()?;
        let gradients = gradients.buffers().map(|(_, buffer)| &buffer[..]);
        Ok(Row {
            workload: bench.workload.name.clone(),
            image: checksum(&[&image.features]),
            gradients: checksum(&gradients),
        })
    };
    benches.iter().map(row).collect()
}

/// Returns a checksum of the bits of some buffers. It is the same for every build with the same
/// version of the compiler.
fn checksum(buffers: &[&[f32]]) -> String {
    let mut hasher = DefaultHasher::new();
    for buffer in buffers {
        buffer.len().hash(&mut hasher);
        for value in *buffer {
            value.to_bits().hash(&mut hasher);
        }
    }
    format!("{:016x}", hasher.finish())
}

/// Returns the rows as a table.
pub(crate) fn text(rows: &[Row]) -> Tables {
    let cells = rows.iter().map(|row| {
        vec![
            row.workload.clone(),
            row.image.clone(),
            row.gradients.clone(),
        ]
    });
    vec![(
        "Checksums of the bits",
        markdown(
            &["workload", "image", "gradients"],
            &cells.collect::<Vec<_>>(),
        ),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_every_end_changes_a_checksum() {
        let zero = checksum(&[&[0.0, 1.0], &[2.0]]);
        assert_eq!(checksum(&[&[0.0, 1.0], &[2.0]]), zero);
        for other in [[-0.0, 1.0], [0.0, 1.0f32.next_up()], [1.0, 0.0]] {
            assert_ne!(checksum(&[&other, &[2.0]]), zero);
        }
        assert_ne!(checksum(&[&[0.0], &[1.0, 2.0]]), zero);
    }
}
