//! The check that the pictures of a program show something.

use splat::Splats;

/// The numbers of Gaussians, or of ellipses, in the pictures of a program.
#[derive(Debug, Default)]
pub(crate) struct Visible {
    /// The most that one picture shows.
    pub(crate) most: usize,
    /// The most that one picture could show.
    all: usize,
    pictures: usize,
}

impl Visible {
    /// Counts those of one picture.
    pub(crate) fn add(&mut self, splats: &Splats<Vec<f32>>) {
        let culled: usize = splats.culled().iter().sum();
        self.most = self.most.max(splats.len() - culled);
        self.all = self.all.max(splats.len());
        self.pictures += 1;
    }

    /// Returns an error if no picture shows any of them.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.most > 0 {
            return Ok(());
        }
        let pictures = match self.pictures {
            1 => "the picture".to_owned(),
            count => format!("all {count} pictures"),
        };
        let all = self.all;
        Err(format!(
            "expected a visible Gaussian, got {all} that are culled in {pictures}"
        ))
    }
}
