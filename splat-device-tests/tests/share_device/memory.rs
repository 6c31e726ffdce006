//! Buffers of the backend that the caller reads and writes with wgpu.

use libtest_mimic::Failed;
use splat::wgpu_interop::WgpuSlice;
use splat::{GpuBuffer, RenderError};

use crate::caller::{Caller, Case, ensure};

pub(crate) const TRIALS: &[Case] = &[
    (
        "the_caller_writes_an_allocation",
        the_caller_writes_an_allocation,
    ),
    ("the_caller_reads_a_buffer", the_caller_reads_a_buffer),
    (
        "a_dropped_buffer_keeps_its_slice",
        a_dropped_buffer_keeps_its_slice,
    ),
    ("allocations_are_bounded", allocations_are_bounded),
    ("an_empty_buffer_has_no_slice", an_empty_buffer_has_no_slice),
];

fn numbers(count: usize, first: f32) -> Vec<f32> {
    (0..count).map(|i| first + i as f32).collect()
}

fn bytes_of(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Writes through the queue of the caller.
fn write(caller: &Caller, slice: &WgpuSlice, numbers: &[f32]) {
    let queue = &caller.queue;
    queue.write_buffer(slice.buffer(), slice.offset(), &bytes_of(numbers));
    queue.submit([]);
}

fn read(caller: &Caller, slice: &WgpuSlice) -> Result<Vec<u8>, Failed> {
    let staging = caller.staging(slice.size());
    let mut encoder = caller.encoder();
    encoder.copy_buffer_to_buffer(
        slice.buffer(),
        slice.offset(),
        &staging,
        0,
        Some(slice.size()),
    );
    caller.queue.submit([encoder.finish()]);
    caller.bytes(&staging)
}

fn the_caller_writes_an_allocation(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    // The neighbours share a `wgpu::Buffer` with the allocation.
    let before = gpu.upload(&numbers(100, 1e4))?;
    let buffer = gpu.allocate(1001)?;
    let after = gpu.upload(&numbers(100, 2e4))?;
    ensure(buffer.len() == 1001, buffer.len())?;
    let slice = gpu.wgpu_buffer(&buffer)?;
    ensure(slice.size() == 4004, slice.size())?;
    ensure(slice.offset() % 256 == 0, slice.offset())?;
    write(caller, &slice, &numbers(1001, 7.0));
    ensure(gpu.download(&buffer)? == numbers(1001, 7.0), "other values")?;
    ensure(gpu.download(&before)? == numbers(100, 1e4), "before")?;
    ensure(gpu.download(&after)? == numbers(100, 2e4), "after")
}

fn the_caller_reads_a_buffer(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let uploaded = gpu.upload(&numbers(301, 3.0))?;
    let slice = gpu.wgpu_buffer(&uploaded)?;
    ensure(
        read(caller, &slice)? == bytes_of(&numbers(301, 3.0)),
        "an upload",
    )?;
    // A buffer that wraps the first words of a longer one, uploaded on another thread.
    let gpu = &gpu;
    let uploaded = std::thread::scope(|scope| {
        let thread = scope.spawn(move || gpu.upload(&numbers(64, 9.0)));
        thread.join().map_err(|_| Failed::from("a panic"))
    })??;
    let part = GpuBuffer::from_handle(uploaded.handle().clone(), 10)?;
    let slice = gpu.wgpu_buffer(&part)?;
    ensure(slice.size() == 40, slice.size())?;
    ensure(
        read(caller, &slice)? == bytes_of(&numbers(10, 9.0)),
        "a part",
    )
}

/// Later allocations do not use the memory of a slice.
fn a_dropped_buffer_keeps_its_slice(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let slice = gpu.wgpu_buffer(&gpu.upload(&numbers(50, 1.0))?)?;
    let others: Result<Vec<_>, _> = (0..40).map(|_| gpu.upload(&[0.0; 50])).collect();
    let others = others?;
    ensure(gpu.download(&others[39])? == [0.0; 50], "other values")?;
    ensure(
        read(caller, &slice)? == bytes_of(&numbers(50, 1.0)),
        "overwritten",
    )
}

fn allocations_are_bounded(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    // A plain device binds 128 MiB.
    let most = (128 << 20) / 4;
    for len in [most + 1, u32::MAX as usize, usize::MAX / 4, usize::MAX] {
        match gpu.allocate(len) {
            Err(RenderError::Capacity { .. }) => {}
            other => return Err(format!("{len}: {other:?}").into()),
        }
    }
    gpu.allocate(most)?;
    Ok(())
}

fn an_empty_buffer_has_no_slice(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let empty = gpu.allocate(0)?;
    ensure(gpu.download(&empty)?.is_empty(), "some values")?;
    match gpu.wgpu_buffer(&empty) {
        Err(RenderError::Shape { .. }) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}
