//! The device's scan and sort by themselves, for tests and benches: not part of the interface.

use cubecl::prelude::*;
use cubecl::server::Handle;

use crate::error::RenderError;
use crate::sort::cube_radix::{Pairs, sort_pairs};
use crate::sort::cube_scan::exclusive_scan;

/// Numbers on the device.
#[derive(Clone, Debug)]
pub struct Numbers {
    handle: Handle,
    len: usize,
}

impl Numbers {
    /// Copies `numbers` to the device.
    pub fn upload<R: Runtime>(client: &ComputeClient<R>, numbers: &[u32]) -> Self {
        let len = numbers.len();
        let filled = if numbers.is_empty() { &[0] } else { numbers };
        let handle = client.create_from_slice(u32::as_bytes(filled));
        Self { handle, len }
    }

    /// Copies the numbers back.
    ///
    /// # Errors
    /// What the device reports, in words.
    pub fn download<R: Runtime>(&self, client: &ComputeClient<R>) -> Result<Vec<u32>, String> {
        let read = client.read_one(self.handle.clone());
        let bytes = read.map_err(|error| format!("{error:?}"))?;
        Ok(u32::from_bytes(&bytes)[..self.len].to_vec())
    }
}

/// The sums of all `input` before each of `0 .. output_len`.
///
/// # Errors
/// Lengths over the device's capacity.
pub fn scan<R: Runtime>(
    client: &ComputeClient<R>,
    input: &Numbers,
    output_len: usize,
) -> Result<Numbers, RenderError> {
    let handle = exclusive_scan(client, &input.handle, input.len, output_len)?;
    let len = output_len;
    Ok(Numbers { handle, len })
}

/// `keys` and `values` sorted stably by the lowest `bits` bits of the keys; what was given is overwritten.
///
/// # Errors
/// Lengths over the device's capacity.
///
/// # Panics
/// If there are not as many keys as values.
pub fn sort<R: Runtime>(
    client: &ComputeClient<R>,
    keys: Numbers,
    values: Numbers,
    bits: u32,
) -> Result<(Numbers, Numbers), RenderError> {
    let len = keys.len;
    assert_eq!(len, values.len, "pairs");
    let pairs = Pairs {
        keys: keys.handle,
        values: values.handle,
    };
    let Pairs { keys, values } = sort_pairs(client, pairs, len, bits)?;
    let numbers = |handle| Numbers { handle, len };
    Ok((numbers(keys), numbers(values)))
}
