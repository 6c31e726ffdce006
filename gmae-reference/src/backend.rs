//! The one place that names a backend of Burn.

/// Where models run.
pub type Cpu = burn_flex::Flex;

/// [`Cpu`] with gradients.
pub type Training = burn::backend::Autodiff<Cpu>;

/// The device of both.
pub type Device = burn_flex::FlexDevice;
