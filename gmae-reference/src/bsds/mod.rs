//! The boundary benchmark of BSDS500: how well edge maps agree with drawn boundaries.
//!
//! The protocol is that of Arbelaez, Maire, Fowlkes and Malik (2011), "Contour detection and
//! hierarchical image segmentation", and of Martin, Fowlkes and Malik (2004), "Learning to detect
//! natural image boundaries using local brightness, color, and texture cues".
//!
//! 1. A method writes one [`EdgeMap`] for each image. It does its own non-maximum suppression.
//! 2. At each of 99 [`Thresholds`] the pixels that reach the threshold are thinned ([`thin()`]).
//! 3. For each annotator the thinned pixels are matched with the drawn pixels ([`Matcher`]), one to
//!    one, within [`RADIUS`] diagonals, with the smallest sum of distances.
//! 4. Pixels with and without a partner are [`Counts`]. They are summed over images.
//! 5. [`Scores`] are the best F-measure with one threshold for all images (ODS), with the best
//!    threshold of each image (OIS), and the average precision (AP).
//!
//! The official solver of step 3 is randomised and approximate. The matching here is exact. On
//! 200 maps of a published detector its scores differ from the official ones by less than 0.0002,
//! and its counts by 0.05 % on average.
//!
//! Pictures have 1 to [`MAX_SIDE`] pixels on each side. Places are `(x, y)` in pixels, from the
//! upper left corner.
//!
//! | file | content |
//! |---|---|
//! | `annotations`, `mat` | ground truth, and the `.mat` files that hold it |
//! | `map` | edge maps, and the PNG files that hold them |
//! | `bitmap`, `thin` | pictures of one bit per pixel, thinning |
//! | `pairs`, `assignment`, `matching` | pixels within the radius, their best matching |
//! | `counts`, `score` | counts of one image, scores of all |
//! | `baselines`, `gradient` | edge maps of trivial methods |
//! | `dataset`, `evaluate`, `cache` | the images of a split, counts that survive an interruption |

mod annotations;
mod assignment;
mod baselines;
mod bitmap;
mod cache;
mod counts;
mod dataset;
pub(crate) mod error;
mod evaluate;
mod gradient;
mod map;
mod mat;
mod matching;
mod pairs;
mod score;
mod thin;

pub use annotations::Annotations;
pub use baselines::Baseline;
pub use bitmap::Bitmap;
pub(crate) use cache::Cache;
pub use counts::{Counts, Thresholds, count};
pub use dataset::{Annotated, Split};
pub use error::BsdsError;
pub(crate) use evaluate::{Evaluated, Method, Prepared, Protocol};
pub use map::{EdgeMap, MAX_SIDE};
pub use matching::Matcher;
pub use pairs::RADIUS;
pub use score::{Point, Scores};
pub use thin::thin;
