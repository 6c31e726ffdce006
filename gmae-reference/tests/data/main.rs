//! Tests of data sets through the public interface.

mod exif;
mod formats;
mod reduced;
mod resize;
mod shards;
mod size;
mod support;
