//! Measures the cost of Burn's graph around a render: forward and backward pass of
//! `splat_autodiff` on the CPU, relative to `splat::render` and `splat::render_vjp` with a
//! workspace.
//!
//! ```text
//! cargo run --release -p benches --no-default-features --features autodiff --bin autodiff
//! ```
//!
//! Each round runs every way once, so that a slow moment of the machine affects all of them. The
//! table shows the median over the rounds of the time relative to the direct calls of the same
//! round, with its quartiles. The last columns compare the least times, which other work on the
//! machine affects least. The gradients with respect to the images are given, because the loss
//! is not part of the operation. All ways compute the gradients with respect to the Gaussians,
//! except `Graph`. It is the time of Burn's graph without a render, which no operation can avoid.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use benches::{Recipe, WANTED, Workload, gmae};
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorData, TensorPrimitive};
use burn_flex::{Flex, FlexDevice};
use clap::Parser;
use splat::{Cpu, Image, Outputs, Workspace};
use splat_autodiff::{GaussianTensors, Rendered, Renderer};

type Diff = Autodiff<Flex>;
type Failure = Box<dyn std::error::Error>;

/// Times the Burn operation against the direct calls.
#[derive(Parser)]
struct Arguments {
    /// Number of threads; 0 stands for the number of cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Timed rounds. Three more warm up.
    #[arg(long, default_value_t = 41)]
    rounds: usize,
}

/// A way to compute images and gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `splat::render` and `splat::render_vjp` with a workspace.
    Direct,
    /// The operation with a `Renderer`.
    Renderer,
    /// The operation by its free function, which keeps no memory.
    Function,
    /// Burn's graph alone: an operation that computes nothing, with the same inputs and outputs.
    Graph,
}

const WAYS: [Way; 4] = [Way::Direct, Way::Renderer, Way::Function, Way::Graph];
/// Seconds of the ways in one round.
type Round = [f64; WAYS.len()];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads)
        .build_global()?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "| scene | outputs | way | ms | relative | quartiles | least ms | relative |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    let small = Recipe {
        per_view: 256,
        width: 64,
        height: 64,
        ..gmae(1)
    };
    for recipe in [small, gmae(4), gmae(8)] {
        for (outputs, name) in [
            (Outputs::NONE, "features"),
            (
                Outputs::NONE.with_transmittance(true).with_depth(true),
                "features, transmittance, depth",
            ),
        ] {
            let mut workload = recipe.draw()?;
            workload.config = workload.config.with_outputs(outputs);
            let rounds = Runner::new(workload).rounds(arguments.rounds.max(1))?;
            let mut least_direct = f64::NAN;
            for (i, way) in WAYS.into_iter().enumerate() {
                let column = |value: fn(&Round, usize) -> f64| {
                    let mut column: Vec<f64> = rounds.iter().map(|round| value(round, i)).collect();
                    column.sort_by(f64::total_cmp);
                    [0.0, 0.25, 0.5, 0.75]
                        .map(|part| column[((column.len() - 1) as f64 * part) as usize])
                };
                let [least, _, ms, _] = column(|round, i| 1e3 * round[i]);
                let [_, low, middle, high] = column(|round, i| round[i] / round[0]);
                if way == Way::Direct {
                    least_direct = least;
                }
                let relative = least / least_direct;
                let Recipe {
                    views,
                    per_view,
                    width,
                    ..
                } = recipe;
                writeln!(
                    out,
                    "| {views} x {per_view} at {width} px | {name} | {way:?} | {ms:.3} | {middle:.3} | {low:.3} to {high:.3} | {least:.3} | {relative:.3} |",
                )?;
            }
        }
    }
    Ok(())
}

/// One workload in the forms that the ways need.
struct Runner {
    workload: Workload,
    v_image: Image<Vec<f32>>,
    workspace: Workspace<f32>,
    backend: Cpu<f32>,
    renderer: Renderer,
    tensors: GaussianTensors<Flex>,
}

impl Runner {
    fn new(workload: Workload) -> Self {
        let (g, views) = (&workload.gaussians, &workload.views);
        let pixels = views.len() * views.height * views.width;
        let weights = |count: usize| -> Vec<f32> {
            let weight = |i: usize| ((i as f32 * 0.618_034).fract() - 0.5) / pixels as f32;
            (0..count).map(weight).collect()
        };
        let outputs = workload.config.outputs;
        let v_image = Image::from_features(weights(pixels * g.channels))
            .with_transmittance(outputs.transmittance.then(|| weights(pixels)))
            .with_depth(outputs.depth.then(|| weights(pixels)));
        let (n, c) = (g.count, g.channels);
        let tensors = GaussianTensors {
            means: tensor(&g.means, [n, 3]),
            scales: tensor(&g.scales, [n, 3]),
            quaternions: tensor(&g.quaternions, [n, 4]),
            opacities: tensor(&g.opacities, [n]),
            features: tensor(&g.features, [n, c]),
        };
        let workspace = Workspace::new();
        Self {
            v_image,
            backend: Cpu::new().with_workspace(&workspace),
            workspace,
            renderer: Renderer::new(),
            tensors,
            workload,
        }
    }

    /// Returns the seconds of every way, round by round.
    fn rounds(&self, rounds: usize) -> Result<Vec<Round>, Failure> {
        const WARM_UP: usize = 3;
        let mut found = Vec::with_capacity(rounds);
        for round in 0..rounds + WARM_UP {
            let mut seconds = Round::default();
            // The ways take turns in being the first.
            for turn in 0..WAYS.len() {
                let i = (round + turn) % WAYS.len();
                seconds[i] = match WAYS[i] {
                    Way::Direct => self.direct()?,
                    Way::Renderer => self.burn(&self.renderer)?,
                    Way::Function => self.burn(&Renderer::new())?,
                    Way::Graph => self.graph()?,
                };
            }
            if round >= WARM_UP {
                found.push(seconds);
            }
        }
        Ok(found)
    }

    fn direct(&self) -> Result<f64, Failure> {
        let (scene, config) = (self.workload.scene(), &self.workload.config);
        let v_image = self.v_image.as_slices();
        let begun = Instant::now();
        let (image, saved) = splat::render(&self.backend, &scene, config)?;
        let gradients = splat::render_vjp(&self.backend, &scene, &saved, &v_image, WANTED)?;
        self.workspace.recycle(image);
        self.workspace.recycle(saved);
        self.workspace.recycle(gradients);
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Returns the inputs as leaves of a new graph.
    fn leaves(&self) -> GaussianTensors<Diff> {
        let of = self.tensors.clone();
        GaussianTensors {
            means: Tensor::from_inner(of.means).require_grad(),
            scales: Tensor::from_inner(of.scales).require_grad(),
            quaternions: Tensor::from_inner(of.quaternions).require_grad(),
            opacities: Tensor::from_inner(of.opacities).require_grad(),
            features: Tensor::from_inner(of.features).require_grad(),
        }
    }

    /// Times the graph of [`Runner::burn`] with an operation that computes nothing.
    fn graph(&self) -> Result<f64, Failure> {
        let (leaves, values) = (self.leaves(), self.tensors.clone());
        let gradients: Leaves<FloatTensor<Flex>> = [
            values.means.into_primitive().tensor(),
            values.scales.into_primitive().tensor(),
            values.quaternions.into_primitive().tensor(),
            values.opacities.into_primitive().tensor(),
            values.features.into_primitive().tensor(),
        ];
        let outputs = self.workload.config.outputs;
        let planes = usize::from(outputs.transmittance) + usize::from(outputs.depth);
        let number = || tensor::<1>(&[0.0], [1]);
        let given: Vec<_> = (0..=planes).map(|_| (number(), number())).collect();
        let value = number().into_primitive().tensor();
        let begun = Instant::now();
        let nodes = [
            leaves.means.clone().into_primitive().tensor().node,
            leaves.scales.clone().into_primitive().tensor().node,
            leaves.quaternions.clone().into_primitive().tensor().node,
            leaves.opacities.clone().into_primitive().tensor().node,
            leaves.features.clone().into_primitive().tensor().node,
        ];
        let prepared = Empty.prepare::<NoCheckpointing>(nodes).compute_bound();
        let empty = match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(gradients, value),
            OpsKind::UnTracked(prepared) => prepared.finish(value),
        };
        let empty = Tensor::<Diff, 1>::from_primitive(TensorPrimitive::Float(empty));
        let mut loss: Option<Tensor<Diff, 1>> = None;
        for (gradient, again) in given {
            let image = injected(empty.clone(), gradient);
            let part = injected(image, again);
            loss = Some(match loss {
                Some(loss) => loss + part,
                None => part,
            });
        }
        drop(empty);
        let gradients = loss.ok_or("no image")?.backward();
        let found = leaves.means.grad(&gradients).is_some();
        drop((gradients, leaves));
        let seconds = begun.elapsed().as_secs_f64();
        found.then_some(seconds).ok_or_else(|| "no gradient".into())
    }

    fn burn(&self, renderer: &Renderer) -> Result<f64, Failure> {
        let views = &self.workload.views;
        let gaussians = self.leaves();
        let c = self.workload.gaussians.channels;
        let background = Tensor::from_inner(tensor(&self.workload.backgrounds, [views.len(), c]));
        let shape = [views.len(), views.height, views.width, c];
        let v_features = tensor(&self.v_image.features, shape);
        let plane = |plane: &Option<Vec<f32>>| {
            let shape = [shape[0], shape[1], shape[2]];
            plane.as_ref().map(|plane| tensor(plane, shape))
        };
        let (v_transmittance, v_depth) = (
            plane(&self.v_image.transmittance),
            plane(&self.v_image.depth),
        );
        let begun = Instant::now();
        let Rendered {
            features,
            transmittance,
            depth,
            ..
        } = renderer.render(&gaussians, views, background, &self.workload.config)?;
        let mut loss = injected(features, v_features);
        for (plane, v_plane) in [(transmittance, v_transmittance), (depth, v_depth)] {
            if let (Some(plane), Some(v_plane)) = (plane, v_plane) {
                loss = loss + injected(plane, v_plane);
            }
        }
        let gradients = loss.backward();
        let found = gaussians.means.grad(&gradients).is_some();
        drop((gradients, gaussians));
        let seconds = begun.elapsed().as_secs_f64();
        found.then_some(seconds).ok_or_else(|| "no gradient".into())
    }
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<Flex, D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &FlexDevice)
}

/// The backward step of a loss whose gradient is given.
#[derive(Debug, Clone, Copy)]
struct Injection;

impl Backward<Flex, 1> for Injection {
    type State = FloatTensor<Flex>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let _one = grads.consume::<Flex>(&ops.node);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            grads.register::<Flex>(parent.id, ops.state);
        }
    }
}

/// One value for each of means, scales, quaternions, opacities and features.
type Leaves<T> = [T; 5];

/// The backward step of an operation that computes nothing.
#[derive(Debug, Clone, Copy)]
struct Empty;

impl Backward<Flex, 5> for Empty {
    type State = Leaves<FloatTensor<Flex>>;

    fn backward(self, ops: Ops<Self::State, 5>, grads: &mut Gradients, _: &mut Checkpointer) {
        let _ = grads.consume::<Flex>(&ops.node);
        for (parent, gradient) in ops.parents.into_iter().zip(ops.state) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// Returns a number whose gradient with respect to `image` is `gradient`.
fn injected<const D: usize>(image: Tensor<Diff, D>, gradient: Tensor<Flex, D>) -> Tensor<Diff, 1> {
    let node = image.into_primitive().tensor().node;
    let number = Tensor::<Flex, 1>::zeros([1], &FlexDevice)
        .into_primitive()
        .tensor();
    let prepared = Injection.prepare::<NoCheckpointing>([node]);
    let number = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(gradient.into_primitive().tensor(), number),
        OpsKind::UnTracked(prepared) => prepared.finish(number),
    };
    Tensor::from_primitive(TensorPrimitive::Float(number))
}
