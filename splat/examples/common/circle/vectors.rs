//! Vectors and equations in three dimensions.

pub(crate) type Vector = [f64; 3];

pub(crate) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// Returns `a + factor b`.
pub(crate) fn plus(a: Vector, factor: f64, b: Vector) -> Vector {
    [0, 1, 2].map(|k| a[k] + factor * b[k])
}

pub(crate) fn norm(a: Vector) -> f64 {
    dot(a, a).sqrt()
}

/// Returns the vector `x` of `rows x = b`. It is not finite if the rows are linearly dependent.
pub(crate) fn solve(rows: [Vector; 3], b: Vector) -> Vector {
    let [r0, r1, r2] = rows;
    let columns = [cross(r1, r2), cross(r2, r0), cross(r0, r1)];
    let volume = dot(r0, columns[0]);
    [0, 1, 2].map(|k| (0..3).map(|i| columns[i][k] * b[i]).sum::<f64>() / volume)
}
