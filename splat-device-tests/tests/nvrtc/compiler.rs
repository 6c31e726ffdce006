//! NVIDIA's run-time compiler (NVRTC), loaded from the folder where it is installed.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr;

use libloading::Library;

/// The environment variable with the path of the library or of its folder. It has priority over all
/// other places.
pub const VARIABLE: &str = "SPLAT_NVRTC";

type Program = *mut c_void;

/// The library and the folders with its headers.
pub struct Nvrtc {
    library: Library,
    /// The path of the library.
    pub path: PathBuf,
    includes: Vec<PathBuf>,
}

/// The resources of a kernel as reported by `ptxas`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resources {
    /// Registers per thread.
    pub registers: u32,
    /// Bytes of spilled registers: the larger of spill stores and spill loads.
    pub spills: u32,
    /// Bytes of local memory per thread: spills, and arrays that registers cannot hold.
    pub stack: u32,
    /// Size of the compiled binary (CUBIN) in bytes.
    pub machine_code: usize,
}

impl Nvrtc {
    /// Loads the first library found. The places are, in this order: `SPLAT_NVRTC`, `CUDA_PATH`,
    /// the usual folders, `LD_LIBRARY_PATH`, and the site-packages of `python3` (`pip install
    /// nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cuda-crt`).
    pub fn find() -> Option<Self> {
        let found = folders().iter().find_map(|folder| library_in(folder))?;
        // SAFETY: loading NVRTC runs its initialisers, which have no preconditions.
        let library = unsafe { Library::new(&found) }.ok()?;
        let beside = |way: &str| found.parent().map(|folder| folder.join(way));
        let includes = [
            "../include",
            "../include/cccl",
            "../../include",
            "../../include/cccl",
            "../../../include",
            "../../cuda_runtime/include",
            "../../cuda_cccl/include",
        ];
        let includes = includes.iter().filter_map(|way| beside(way));
        Some(Self {
            library,
            includes: includes.filter(|way| way.is_dir()).collect(),
            path: found,
        })
    }

    /// Compiles `source` to PTX and machine code as `CubeCL` does, for sm_`architecture`.
    pub fn compile(&self, source: &str, architecture: u16) -> Result<Resources, String> {
        let source = CString::new(source).map_err(|error| error.to_string())?;
        // CubeCL, too, selects the architecture-specific features (suffix `a`) from sm_90 on.
        let exactly = if architecture >= 90 { "a" } else { "" };
        let mut options = vec![
            format!("--gpu-architecture=sm_{architecture}{exactly}"),
            "-lineinfo".to_owned(),
            "--ptxas-options=-v".to_owned(),
        ];
        let include = |folder: &PathBuf| format!("--include-path={}", folder.display());
        options.extend(self.includes.iter().map(include));
        let options: Result<Vec<CString>, _> = options.into_iter().map(CString::new).collect();
        let options = options.map_err(|error| error.to_string())?;
        // SAFETY: the signatures are those of nvrtc.h. Every pointer is valid during its call.
        // Buffers have the sizes that NVRTC reports. The program is destroyed once, after its last
        // use.
        unsafe {
            let create = self.symbol::<CreateProgram>(c"nvrtcCreateProgram")?;
            let destroy = self.symbol::<DestroyProgram>(c"nvrtcDestroyProgram")?;
            let mut program = ptr::null_mut();
            let no = ptr::null();
            if create(
                &raw mut program,
                source.as_ptr(),
                no,
                0,
                ptr::null(),
                ptr::null(),
            ) != 0
            {
                return Err("NVRTC created no program".to_owned());
            }
            let compiled = self.compile_program(program, &options);
            destroy(&raw mut program);
            compiled
        }
    }

    /// # Safety
    /// `program` is a program of this library.
    unsafe fn compile_program(
        &self,
        program: Program,
        options: &[CString],
    ) -> Result<Resources, String> {
        let options: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        // SAFETY: as in `compile`.
        unsafe {
            let compile = self.symbol::<CompileProgram>(c"nvrtcCompileProgram")?;
            let result = compile(program, options.len() as c_int, options.as_ptr());
            let log = self.bytes(program, c"nvrtcGetProgramLogSize", c"nvrtcGetProgramLog")?;
            let log = String::from_utf8_lossy(&log).into_owned();
            if result != 0 {
                return Err(format!("NVRTC error {result}\n{log}"));
            }
            let ptx = self.bytes(program, c"nvrtcGetPTXSize", c"nvrtcGetPTX")?;
            let machine_code = self.bytes(program, c"nvrtcGetCUBINSize", c"nvrtcGetCUBIN")?;
            if ptx.is_empty() || machine_code.is_empty() {
                return Err(format!("no code\n{log}"));
            }
            let mut resources = resources(&log)?;
            resources.machine_code = machine_code.len();
            Ok(resources)
        }
    }

    /// # Safety
    /// `size` names a function of type [`GetSize`] that returns the size of a result of `program`.
    /// `get` names a function of type [`GetBytes`] that copies this result.
    unsafe fn bytes(&self, program: Program, size: &CStr, get: &CStr) -> Result<Vec<u8>, String> {
        // SAFETY: as in `compile`.
        unsafe {
            let (size, get) = (self.symbol::<GetSize>(size)?, self.symbol::<GetBytes>(get)?);
            let mut len = 0;
            let mut code = size(program, &raw mut len);
            let mut bytes = vec![0u8; len];
            if code == 0 && len > 0 {
                code = get(program, bytes.as_mut_ptr().cast());
            }
            if code == 0 {
                Ok(bytes)
            } else {
                Err(format!("NVRTC error {code}"))
            }
        }
    }

    /// # Safety
    /// `T` is the type of the function `name`.
    unsafe fn symbol<T: Copy>(&self, name: &CStr) -> Result<T, String> {
        // SAFETY: the caller guarantees the type. The library outlives every use of the function.
        let symbol = unsafe { self.library.get::<T>(name.to_bytes_with_nul()) };
        symbol
            .map(|symbol| *symbol)
            .map_err(|error| error.to_string())
    }
}

type CreateProgram = unsafe extern "C" fn(
    *mut Program,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> c_int;
type DestroyProgram = unsafe extern "C" fn(*mut Program) -> c_int;
type CompileProgram = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int;
type GetSize = unsafe extern "C" fn(Program, *mut usize) -> c_int;
type GetBytes = unsafe extern "C" fn(Program, *mut c_char) -> c_int;

/// Parses the report of `ptxas -v`. A report without one of the numbers is an error, not a kernel
/// without spills.
fn resources(log: &str) -> Result<Resources, String> {
    let before = |words: &str| {
        let numbers = log.match_indices(words).map(|(at, _)| {
            let text = log[..at].trim_end();
            let digits = text
                .rfind(|c: char| !c.is_ascii_digit())
                .map_or(0, |i| i + 1);
            text[digits..].parse::<u32>().ok()
        });
        let numbers: Option<Vec<u32>> = numbers.collect();
        let numbers = numbers.filter(|numbers| !numbers.is_empty());
        let numbers = numbers.ok_or_else(|| format!("no number of {words:?} in\n{log}"));
        numbers.map(|numbers| numbers.into_iter().max().unwrap_or(0))
    };
    Ok(Resources {
        registers: before("registers")?,
        spills: before("bytes spill stores")?.max(before("bytes spill loads")?),
        stack: before("bytes stack frame")?,
        machine_code: 0,
    })
}

/// Returns the library in a folder. If `folder` is a file, it is taken as the library.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let is_it = |path: &Path| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| {
            name.starts_with("libnvrtc.so")
                || name.starts_with("nvrtc64_") && name.ends_with(".dll") && !name.contains("alt")
        })
    };
    if folder.is_file() {
        return Some(folder.to_owned());
    }
    let files = folder.read_dir().ok()?.filter_map(Result::ok);
    let mut found: Vec<PathBuf> = files.map(|file| file.path()).filter(|p| is_it(p)).collect();
    found.sort();
    found.pop()
}

/// Returns the places to search, in this order.
fn folders() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let mut folders: Vec<PathBuf> = variable(VARIABLE).into_iter().collect();
    let usual = ["/usr/local/cuda", "/opt/cuda"].map(PathBuf::from);
    let installed = variable("CUDA_PATH").into_iter().chain(usual);
    for root in installed {
        folders.extend(["lib64", "lib", "bin", "bin/x64"].map(|inner| root.join(inner)));
    }
    if let Some(paths) = std::env::var_os("LD_LIBRARY_PATH") {
        folders.extend(std::env::split_paths(&paths));
    }
    let script = "import site, sys; print('\\n'.join(sys.path + [site.getusersitepackages()]))";
    let python = Command::new("python3").args(["-c", script]).output();
    let sites = python.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    for site in sites.unwrap_or_default().lines() {
        let Ok(packages) = Path::new(site).join("nvidia").read_dir() else {
            continue;
        };
        let packages = packages
            .filter_map(Result::ok)
            .map(|package| package.path());
        for package in packages {
            folders.extend(["lib", "bin", "bin/x86_64"].map(|inner| package.join(inner)));
        }
    }
    folders
}
