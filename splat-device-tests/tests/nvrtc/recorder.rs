//! A `CubeCL` runtime that executes nothing and needs no driver. It reports the properties of an
//! NVIDIA device. It compiles every launched kernel to CUDA C++, as `CubeCL`'s CUDA runtime does,
//! and stores the sources.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cubecl::backtrace::BackTrace;
use cubecl::bytes::Bytes;
use cubecl::client::ComputeClient;
use cubecl::device::{Device, DeviceId, DeviceService};
use cubecl::features::{Plane, TypeUsage};
use cubecl::future::DynFut;
use cubecl::ir::{
    AddressType, DeviceProperties, ElemType, FloatKind, HardwareProperties, IntKind,
    MemoryDeviceProperties, StorageType, TargetProperties, Type, UIntKind, VectorSize, features,
};
use cubecl::profile::{ProfileDuration, TimingMethod};
use cubecl::server::{
    Binding, ComputeServer, CopyDescriptor, CubeCount, ExecutionMode, IoError, KernelArguments,
    ProfileError, ProfilingToken, ServerCommunication, ServerError, ServerUtilities,
};
use cubecl::stream_id::StreamId;
use cubecl::zspace::{Shape, Strides};
use cubecl::{CubeTask, MemoryAllocationMode, MemoryUsage, Runtime};
use cubecl_cuda::{CudaCompiler, CudaRuntime};
use cubecl_runtime::id::KernelId;
use cubecl_runtime::logging::ServerLogger;
use cubecl_runtime::memory_management::ManagedMemoryHandle;
use cubecl_runtime::storage::{ComputeStorage, ManagedResource};

type CudaServer = <CudaRuntime as Runtime>::Server;
type Layout = <CudaServer as ComputeServer>::MemoryLayoutPolicy;
type Storage = <CudaServer as ComputeServer>::Storage;

/// The value of every word that is read back: a plausible number of hits.
const WORD: u32 = 4096;

/// A launched kernel.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// The name of the function, as in the Rust source.
    pub function: String,
    /// The values of the compile-time arguments, and the other parts of `CubeCL`'s key.
    pub variant: String,
    /// The CUDA C++ source, or the error of its generation.
    pub source: Result<String, String>,
    /// Bytes of shared memory, which `CubeCL` requests at launch.
    pub shared: usize,
    /// Threads per workgroup.
    pub units: u32,
}

/// The launched kernels in order: architecture, `CubeCL`'s key of the variant, kernel.
static LAUNCHED: Mutex<Vec<(Architecture, KernelId, Kernel)>> = Mutex::new(Vec::new());

/// The number of times that the host has read data back, on all architectures together.
static READS: AtomicUsize = AtomicUsize::new(0);

/// Returns the number of times that the host has read data back.
pub fn reads() -> usize {
    READS.load(Ordering::Relaxed)
}

/// Returns the kernels launched on `architecture`, each variant once.
pub fn launched(architecture: Architecture) -> Vec<Kernel> {
    let launched = LAUNCHED.lock().unwrap_or_else(PoisonError::into_inner);
    let of_it = launched.iter().filter(|(at, ..)| *at == architecture);
    of_it.map(|(.., kernel)| kernel.clone()).collect()
}

/// A compute capability times ten: 80 is `sm_80`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Architecture(pub u16);

impl Device for Architecture {
    fn from_id(id: DeviceId) -> Self {
        Self(id.index_id)
    }

    fn to_id(&self) -> DeviceId {
        DeviceId {
            type_id: 0,
            index_id: self.0,
        }
    }
}

/// The runtime that records launches.
#[derive(Debug, Clone)]
pub struct Recorder;

impl Runtime for Recorder {
    type Compiler = CudaCompiler;
    type Server = RecordingServer;
    type Device = Architecture;

    fn client(device: &Architecture) -> ComputeClient<Self> {
        ComputeClient::load(device)
    }

    fn name(_: &ComputeClient<Self>) -> &'static str {
        // With a runtime of this name, `splat` uses its CUDA variants.
        "cuda"
    }

    fn require_array_lengths() -> bool {
        CudaRuntime::require_array_lengths()
    }

    fn max_cube_count() -> (u32, u32, u32) {
        CudaRuntime::max_cube_count()
    }

    fn can_read_tensor(shape: &Shape, strides: &Strides) -> bool {
        CudaRuntime::can_read_tensor(shape, strides)
    }

    fn target_properties() -> TargetProperties {
        CudaRuntime::target_properties()
    }

    fn enumerate_devices(_: u16, (): &()) -> Vec<DeviceId> {
        Vec::new()
    }
}

/// The server of [`Recorder`]. It stores every launched kernel in [`LAUNCHED`].
#[derive(Debug)]
pub struct RecordingServer {
    architecture: Architecture,
    utilities: Arc<ServerUtilities<Self>>,
}

/// The properties that `CubeCL`'s CUDA runtime reports for data-centre devices. Features that only
/// kernels with matrix instructions use are left out.
fn properties() -> DeviceProperties {
    let memory = MemoryDeviceProperties {
        max_page_size: 10 << 30,
        alignment: 512,
    };
    let hardware = HardwareProperties {
        load_width: 128,
        plane_size_min: 32,
        plane_size_max: 32,
        max_bindings: 1024,
        max_shared_memory_size: 163 << 10,
        max_cube_count: (i32::MAX as u32, 65_535, 65_535),
        max_units_per_cube: 1024,
        max_cube_dim: (1024, 1024, 64),
        num_streaming_multiprocessors: Some(108),
        num_tensor_cores: Some(4),
        min_tensor_cores_dim: Some(8),
        num_cpu_cores: None,
        max_vector_size: VectorSize::MAX,
    };
    let mut properties = DeviceProperties::new(
        features::Features::default(),
        memory,
        hardware,
        TimingMethod::System,
    );
    properties.register_address_type(AddressType::U32);
    properties.register_address_type(AddressType::U64);
    for plain in [
        ElemType::UInt(UIntKind::U8),
        ElemType::UInt(UIntKind::U16),
        ElemType::UInt(UIntKind::U32),
        ElemType::UInt(UIntKind::U64),
        ElemType::Int(IntKind::I32),
        ElemType::Int(IntKind::I64),
        ElemType::Float(FloatKind::F16),
        ElemType::Float(FloatKind::F32),
        ElemType::Bool,
    ] {
        properties.register_type_usage(plain, TypeUsage::all());
    }
    for atomic in [
        ElemType::UInt(UIntKind::U32),
        ElemType::Int(IntKind::I32),
        ElemType::Float(FloatKind::F32),
    ] {
        properties.register_atomic_type_usage(
            Type::new(StorageType::Atomic(atomic)),
            features::AtomicUsage::Add | features::AtomicUsage::LoadStore,
        );
    }
    let features = &mut properties.features;
    features.plane.insert(Plane::Sync);
    features.plane.insert(Plane::Ops);
    features.plane.insert(Plane::NonUniformControlFlow);
    features.memory_reinterpret = true;
    features.alignment = true;
    features.copy_async = true;
    properties
}

impl DeviceService for RecordingServer {
    fn init(id: DeviceId) -> Self {
        let properties = properties();
        let layout = Layout::new(properties.memory.alignment as usize);
        let logger = Arc::new(ServerLogger::default());
        Self {
            architecture: Architecture::from_id(id),
            utilities: Arc::new(ServerUtilities::new(properties, logger, (), layout)),
        }
    }

    fn utilities(&self) -> Arc<dyn std::any::Any + Send + Sync> {
        self.utilities.clone()
    }
}

impl ServerCommunication for RecordingServer {
    const SERVER_COMM_ENABLED: bool = false;
}

impl RecordingServer {
    /// Compiles a kernel to CUDA C++ with `CubeCL`'s options for the architecture.
    fn compile(&self, kernel: &dyn CubeTask<CudaCompiler>, mode: ExecutionMode) -> Kernel {
        type Options = <CudaCompiler as cubecl::Compiler>::CompilationOptions;
        let mut options = Options {
            warp_size: 32,
            ..Options::default()
        };
        options.supports_features.fast_math = true;
        options.supports_features.fast_tanh = true;
        options.supports_features.grid_constants = true;
        options.supports_features.clusters = self.architecture.0 >= 90;
        options.supports_features.elect_sync = self.architecture.0 >= 90;
        let address = kernel.address_type();
        let mut compiler = CudaCompiler::default();
        let compile = || kernel.compile(&mut compiler, &options, mode, address);
        let mut name = kernel.name();
        let (source, shared, units) = match catch_unwind(AssertUnwindSafe(compile)) {
            Ok(Ok(compiled)) => {
                name = compiled.debug_name.unwrap_or(name);
                let shared = compiled.repr.map_or(0, |repr| repr.shared_memory_size());
                (Ok(compiled.source), shared, compiled.cube_dim.num_elems())
            }
            Ok(Err(error)) => (Err(error.to_string()), 0, 0),
            Err(_) => (Err("CubeCL panicked".to_owned()), 0, 0),
        };
        Kernel {
            function: function_of(name).to_owned(),
            variant: format!("{:?}", kernel.id()),
            source,
            shared,
            units,
        }
    }
}

/// Returns the part `function` of a name `crate::module::function::Function<Runtime>`.
fn function_of(kernel: &str) -> &str {
    let path = kernel.split('<').next().unwrap_or(kernel);
    let mut parts = path.rsplit("::");
    parts.nth(1).unwrap_or(path)
}

impl ComputeServer for RecordingServer {
    type Kernel = Box<dyn CubeTask<CudaCompiler>>;
    type Info = ();
    type MemoryLayoutPolicy = Layout;
    type Storage = Storage;

    fn initialize_memory(&mut self, _: ManagedMemoryHandle, _: u64, _: StreamId) {}

    fn logger(&self) -> Arc<ServerLogger> {
        self.utilities.logger.clone()
    }

    fn utilities(&self) -> Arc<ServerUtilities<Self>> {
        self.utilities.clone()
    }

    fn read(
        &mut self,
        wanted: Vec<CopyDescriptor>,
        _: StreamId,
    ) -> DynFut<Result<Vec<Bytes>, ServerError>> {
        READS.fetch_add(1, Ordering::Relaxed);
        let words = |wanted: &CopyDescriptor| {
            let bytes = wanted.handle.size_in_used() as usize;
            let words = WORD.to_le_bytes().into_iter().cycle().take(bytes);
            Bytes::from_bytes_vec(words.collect())
        };
        let read = wanted.iter().map(words).collect();
        Box::pin(async move { Ok(read) })
    }

    fn write(&mut self, _: Vec<(CopyDescriptor, Bytes)>, _: StreamId) {}

    fn sync(&mut self, _: StreamId) -> DynFut<Result<(), ServerError>> {
        Box::pin(async { Ok(()) })
    }

    fn get_resource(
        &mut self,
        _: Binding,
        _: StreamId,
    ) -> Result<ManagedResource<<Storage as ComputeStorage>::Resource>, ServerError> {
        let backtrace = BackTrace::capture();
        Err(IoError::UnsupportedIoOperation { backtrace }.into())
    }

    unsafe fn launch(
        &mut self,
        kernel: Self::Kernel,
        _: CubeCount,
        _: KernelArguments,
        mode: ExecutionMode,
        _: StreamId,
    ) {
        let id = kernel.id();
        let mut launched = LAUNCHED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = launched
            .iter()
            .any(|(at, known, _)| *at == self.architecture && *known == id);
        if !known {
            let kernel = self.compile(kernel.as_ref(), mode);
            launched.push((self.architecture, id, kernel));
        }
    }

    fn flush(&mut self, _: StreamId) -> Result<(), ServerError> {
        Ok(())
    }

    fn memory_usage(&mut self, _: StreamId) -> Result<MemoryUsage, ServerError> {
        let backtrace = BackTrace::capture();
        Err(IoError::UnsupportedIoOperation { backtrace }.into())
    }

    fn memory_cleanup(&mut self, _: StreamId) {}

    fn start_profile(&mut self, _: StreamId) -> Result<ProfilingToken, ServerError> {
        Ok(ProfilingToken { id: 0 })
    }

    fn end_profile(
        &mut self,
        _: StreamId,
        _: ProfilingToken,
    ) -> Result<ProfileDuration, ProfileError> {
        let backtrace = BackTrace::capture();
        Err(ProfileError::NotRegistered { backtrace })
    }

    fn allocation_mode(&mut self, _: MemoryAllocationMode, _: StreamId) {}
}
