//! A backend of a user: the CPU's with some faults.

use splat::check::Transfer;
use splat::ellipses::Ellipses;
use splat::stages::{Composited, Hits, ProjectGradients, SortedHits, SplatStatistics, Statistics};
use splat::{
    Backend, Contributors, Cpu, Gaussians, Image, RenderConfig, RenderError, Splats, Views, Wanted,
};

/// A change of the gradients of a render, which makes them wrong.
pub(crate) type Fault = fn(&mut ProjectGradients<Vec<f64>>);

/// A change of the gradients of the compositing, which makes them wrong.
pub(crate) type CompositeFault = fn(&mut Splats<Vec<f64>>, &mut Vec<f64>);

/// A backend of a user: the CPU's with some faults.
#[derive(Default)]
pub(crate) struct Toy {
    pub(crate) right: Cpu<f64>,
    pub(crate) fault: Option<Fault>,
    pub(crate) composite_fault: Option<CompositeFault>,
    pub(crate) image_fault: Option<ImageFault>,
    pub(crate) statistics_fault: Option<StatisticsFault>,
    /// The unit roundoff that the backend claims, if not that of `f64`.
    pub(crate) roundoff: Option<f64>,
}

/// A change of the statistics of Gaussians, which makes them wrong.
pub(crate) type StatisticsFault = fn(&mut Statistics<Vec<f64>>);

/// A change of the image, which makes it wrong.
pub(crate) type ImageFault = fn(&mut Image<Vec<f64>>);

impl Backend for Toy {
    type Buffer = Vec<f64>;
    type Indices = Vec<u32>;
    type View<'a> = &'a [f64];
    type Hits = Hits;
    type SortedHits = SortedHits;
    type Composited = Composited<f64>;

    fn view(buffer: &Vec<f64>) -> &[f64] {
        buffer
    }

    fn contributors(composited: &Composited<f64>) -> Option<&Contributors<Vec<f64>, Vec<u32>>> {
        Cpu::contributors(composited)
    }

    fn project(
        &self,
        gaussians: &Gaussians<&[f64]>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<Splats<Vec<f64>>, RenderError> {
        self.right.project(gaussians, views, config)
    }

    fn complete(
        &self,
        ellipses: &Ellipses<'_, &[f64]>,
        width: usize,
        height: usize,
        config: &RenderConfig,
    ) -> Result<Splats<Vec<f64>>, RenderError> {
        self.right.complete(ellipses, width, height, config)
    }

    fn complete_vjp(
        &self,
        splats: &Splats<&[f64]>,
        v_conics: &[f64],
    ) -> Result<Vec<f64>, RenderError> {
        self.right.complete_vjp(splats, v_conics)
    }

    fn project_vjp(
        &self,
        gaussians: &Gaussians<&[f64]>,
        views: &Views,
        config: &RenderConfig,
        splats: &Splats<&[f64]>,
        v_splats: &Splats<&[f64]>,
        wanted: Wanted,
    ) -> Result<ProjectGradients<Vec<f64>>, RenderError> {
        let backend = &self.right;
        let mut v = backend.project_vjp(gaussians, views, config, splats, v_splats, wanted)?;
        if let Some(fault) = self.fault {
            fault(&mut v);
        }
        Ok(v)
    }

    fn bin(
        &self,
        splats: &Splats<&[f64]>,
        width: usize,
        height: usize,
    ) -> Result<Hits, RenderError> {
        self.right.bin(splats, width, height)
    }

    fn sort(&self, splats: &Splats<&[f64]>, hits: Hits) -> Result<SortedHits, RenderError> {
        self.right.sort(splats, hits)
    }

    fn composite(
        &self,
        splats: &Splats<&[f64]>,
        sorted: &SortedHits,
        backgrounds: &[f64],
        config: &RenderConfig,
    ) -> Result<(Image<Vec<f64>>, Composited<f64>), RenderError> {
        let (mut image, state) = self.right.composite(splats, sorted, backgrounds, config)?;
        if let Some(fault) = self.image_fault {
            fault(&mut image);
        }
        Ok((image, state))
    }

    fn composite_vjp(
        &self,
        splats: &Splats<&[f64]>,
        sorted: &SortedHits,
        backgrounds: &[f64],
        composited: &Composited<f64>,
        v_image: &Image<&[f64]>,
        wanted: Wanted,
    ) -> Result<(Splats<Vec<f64>>, Vec<f64>), RenderError> {
        let (mut v, mut v_backgrounds) =
            self.right
                .composite_vjp(splats, sorted, backgrounds, composited, v_image, wanted)?;
        if let Some(fault) = self.composite_fault {
            fault(&mut v, &mut v_backgrounds);
        }
        Ok((v, v_backgrounds))
    }

    fn splat_statistics(
        &self,
        splats: &Splats<&[f64]>,
        sorted: &SortedHits,
        backgrounds: &[f64],
        composited: &Composited<f64>,
        v_image: &Image<&[f64]>,
    ) -> Result<SplatStatistics<Vec<f64>>, RenderError> {
        let backend = &self.right;
        backend.splat_statistics(splats, sorted, backgrounds, composited, v_image)
    }

    fn gaussian_statistics(
        &self,
        count: usize,
        views: &Views,
        splats: &Splats<&[f64]>,
        v_means: &[f64],
        of_splats: SplatStatistics<Vec<f64>>,
    ) -> Result<Statistics<Vec<f64>>, RenderError> {
        let backend = &self.right;
        let mut found = backend.gaussian_statistics(count, views, splats, v_means, of_splats)?;
        if let Some(fault) = self.statistics_fault {
            fault(&mut found);
        }
        Ok(found)
    }
}

impl Transfer for Toy {
    fn upload(&self, numbers: &[f64]) -> Result<Vec<f64>, RenderError> {
        self.right.upload(numbers)
    }

    fn download(&self, buffer: &Vec<f64>) -> Result<Vec<f64>, RenderError> {
        self.right.download(buffer)
    }

    fn download_indices(&self, indices: &Vec<u32>) -> Result<Vec<u32>, RenderError> {
        self.right.download_indices(indices)
    }

    fn round(&self, number: f64) -> f64 {
        number
    }

    fn unit_roundoff(&self) -> f64 {
        self.roundoff.unwrap_or_else(|| self.right.unit_roundoff())
    }
}
