//! The fixed two-dimensional sine-cosine table of patch positions.

/// Computes the table `[1 + grid^2, width]`, row by row.
///
/// Row 0 is the row of the CLS token and is zero. Row `1 + y grid + x` holds the code of `x` in its
/// first half and the code of `y` in its second half. The code of a number `p` is
/// `[sin(p w_i)..., cos(p w_i)...]` with `w_i = 10000^(-i / (width / 4))` for `i < width / 4`.
///
/// `width` must be a multiple of 4, which [`Config::validate`](crate::Config::validate) ensures.
pub(super) fn position_table(grid: usize, width: usize) -> Vec<f32> {
    let mut table = vec![0.0; width];
    for y in 0..grid {
        for x in 0..grid {
            table.extend(code(x, width / 4));
            table.extend(code(y, width / 4));
        }
    }
    table
}

/// Returns the sines and then the cosines of `position` at `frequencies` frequencies.
fn code(position: usize, frequencies: usize) -> impl Iterator<Item = f32> {
    let angle = move |i: usize| position as f64 * 10_000_f64.powf(-(i as f64) / frequencies as f64);
    let sines = (0..frequencies).map(move |i| angle(i).sin() as f32);
    let cosines = (0..frequencies).map(move |i| angle(i).cos() as f32);
    sines.chain(cosines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_the_stated_rows() {
        let (grid, width) = (3, 8);
        let table = position_table(grid, width);
        assert_eq!(table.len(), (1 + grid * grid) * width);
        assert!(table[..width].iter().all(|&v| v == 0.0), "CLS row is zero");
        // Patch (x, y) = (2, 1); frequencies are 1 and 10000^(-1/2) = 0.01.
        let row = &table[(1 + grid + 2) * width..][..width];
        let expected = [
            2_f64.sin(),
            0.02_f64.sin(),
            2_f64.cos(),
            0.02_f64.cos(),
            1_f64.sin(),
            0.01_f64.sin(),
            1_f64.cos(),
            0.01_f64.cos(),
        ];
        for (got, want) in row.iter().zip(expected) {
            assert!(
                (f64::from(*got) - want).abs() < 1e-7,
                "{got} against {want}"
            );
        }
    }

    #[test]
    fn every_patch_has_its_own_row_of_constant_norm() {
        let (grid, width) = (14, 64);
        let table = position_table(grid, width);
        let rows: Vec<&[f32]> = table.chunks(width).skip(1).collect();
        for (i, a) in rows.iter().enumerate() {
            let norm: f32 = a.iter().map(|v| v * v).sum();
            assert!(
                (norm - width as f32 / 2.0).abs() < 1e-3,
                "sin^2 + cos^2 = 1 per frequency"
            );
            for b in &rows[..i] {
                assert_ne!(a, b);
            }
        }
    }
}
