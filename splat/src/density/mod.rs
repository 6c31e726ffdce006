//! Density control: the operations by which training adds, splits, removes and moves Gaussians
//! (MATH eq. 25 to 27).
//!
//! | operation | effect on the list of Gaussians | source |
//! |---|---|---|
//! | [`grow`] | copies small Gaussians and splits large ones, where gradients are large | Kerbl et al. 2023, section 5.2 |
//! | [`prune`] | removes Gaussians, such as those that [`Pruning`] names | Kerbl et al. 2023, section 5.2 |
//! | [`reset_opacities`] | lowers opacities to a bound | Kerbl et al. 2023, section 5.2 |
//! | [`relocate`] | replaces almost transparent Gaussians by copies of others | Kheradmand et al. 2024, eq. 9 |
//! | [`add`] | adds copies, as `relocate` does | Kheradmand et al. 2024, eq. 9 |
//! | [`perturb`] | moves almost transparent Gaussians by noise | Kheradmand et al. 2024, eq. 8 |
//!
//! [`Observed`] collects the statistics of renders, on which `grow` and `prune` depend. Every
//! operation that can change the list returns a [`Revision`], which maps the rows of an optimiser's
//! state to the new list. The ranges of [`Views`](crate::Views) must be set again if the count
//! changes.
//!
//! ```
//! use splat::density::{Growth, Pruning, grow, prune};
//! # use splat::{Gaussians, encoding::Encoding};
//! # let mut gaussians = Gaussians { means: vec![0.0f32; 6], scales: vec![0.1, 0.1, 0.1, 3.0, 3.0, 3.0],
//! #     quaternions: vec![1.0; 8], opacities: vec![0.3, 0.7], features: vec![0.0; 6], count: 2,
//! #     channels: 3, encoding: Encoding::PLAIN };
//! # let gradients = [0.001, 0.001];
//! # let (mut moments, mut next) = (vec![0.5f32; 6], || 0.25);
//! // The first Gaussian is small and is copied. The second is large and becomes two samples of it.
//! let growth = Growth::new(0.0002, 1.0).with_most(1000);
//! let revision = grow(&mut gaussians, &gradients, &growth, &mut next)?;
//! assert_eq!(revision.sources(), [0, 0, 1, 1]);
//! moments = revision.moments(&moments)?;
//!
//! let keep = Pruning::new(0.5).keep(&gaussians, &[])?;
//! let revision = prune(&mut gaussians, &keep)?;
//! moments = revision.moments(&moments)?;
//! assert_eq!([gaussians.count, revision.removed(), moments.len()], [2, 2, 6]);
//! # Ok::<(), splat::RenderError>(())
//! ```
//!
//! # Rules of all operations
//!
//! - Both encodings of scales and opacities are accepted, and features in rows of Gaussians.
//! - An operation that returns an error has changed no Gaussian.
//! - The order of the list is kept. A copy comes directly behind its source, so a list in
//!   [`SpatialOrder`](crate::SpatialOrder) nearly stays in that order.
//! - A Gaussian is *valid* if its numbers, its scales and its opacity are finite, and the squared
//!   length of its quaternion is positive and finite. Others cannot be drawn and have no gradient.
//!   They are never copied, split or moved.
//! - Random numbers come from the argument `uniform`, which returns numbers in `[0, 1)`. A number
//!   outside this range counts as the nearest number of it, and NaN counts as 0. The same numbers
//!   give the same Gaussians on the same machine. The functions of the standard library may round
//!   differently on others.
//!
//! # Errors
//!
//! All operations return these errors, and those that their documentation states:
//!
//! - the errors of [`Gaussians::validate`](crate::Gaussians::validate);
//! - [`RenderError::Shape`](crate::RenderError::Shape) for
//!   [`Features::PerSplat`](crate::encoding::Features::PerSplat), whose rows belong to views;
//! - [`RenderError::Capacity`](crate::RenderError::Capacity) if there are or would be more than
//!   2^32 - 1 Gaussians, or if an allocation fails.

mod draws;
mod growth;
mod noise;
mod observed;
mod pruning;
mod relocation;
mod revision;
mod rows;

pub use growth::{Growth, grow};
pub use noise::perturb;
pub use observed::Observed;
pub use pruning::{Pruning, prune, reset_opacities};
pub use relocation::{DEAD_OPACITY, add, relocate};
pub use revision::Revision;
