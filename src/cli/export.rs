//! `cutlayer export`: a run for other programs.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Device;
use clap::{ArgGroup, Args};

use super::{place, print};
use crate::data::numpy::{Array, npz, read_images};
use crate::error::{Error, Result};
use crate::experiment::{self, Experiment};
use crate::export::arrays::arrays;
use crate::export::attacks::export_attacks;
use crate::export::folder::{check_new_file, check_new_folder, fill_new_folder};
use crate::export::torch::loader;
use crate::model::spec::shape_text;
use crate::run::best::{self, Which};
use crate::run::checkpoint::weights_file;
use crate::run::folder::check_is_run;
use crate::run::identity::DataChoice;
use crate::run::prepared::Prepared;
use crate::run::shipped::half;
use crate::run::whole_files::Writer;
use crate::split::SplitModel;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("forms").required(true).multiple(true)))]
pub(super) struct ExportArgs {
    /// The run's folder.
    #[arg(value_parser = place())]
    run: PathBuf,
    /// A new folder for client.safetensors, server.safetensors and load.py, which computes what the model does.
    #[arg(long, value_name = "FOLDER", value_parser = place(), group = "forms")]
    torch: Option<PathBuf>,
    /// A new .npz file for smashed data, logits and decisions of the run's test images, of a model that disguises them also the disguised
    /// images, their maps and what the server recovers.
    #[arg(long, value_name = "FILE", value_parser = place(), group = "forms")]
    arrays: Option<PathBuf>,
    /// Images for --arrays in place of the run's test images: a .npy or .npz file of (N, C, H, W) or (N, H, W), floats
    /// from 0 to 1 or bytes.
    #[arg(long, value_name = "FILE", value_parser = place(), requires = "arrays")]
    images: Option<PathBuf>,
    /// A new folder for the reconstructions and the scores of each image of every attack: one .npz and one .csv each.
    #[arg(long, value_name = "FOLDER", value_parser = place(), group = "forms")]
    attacks: Option<PathBuf>,
    /// A new .safetensors file of all models' weights in half precision, as those that come with the program.
    #[arg(long, value_name = "FILE", value_parser = place(), group = "forms")]
    half: Option<PathBuf>,
    /// The weights of each model's best epoch in place of the last: by accuracy on the validation set, or on the test set
    /// where there is no other, which then flatters them.
    #[arg(long)]
    best: bool,
}

impl ExportArgs {
    fn which(&self) -> Which {
        if self.best { Which::Best } else { Which::Last }
    }
}

pub(super) fn export(args: &ExportArgs) -> Result<()> {
    check_is_run(&args.run)?;
    let weights = [&args.torch, &args.arrays, &args.half].iter().any(|out| out.is_some());
    if args.best && !weights {
        return Err(Error::input(
            "--best chooses weights, and --attacks exports none: add --torch, --arrays or --half",
        ));
    }
    let mut said = String::new();
    if args.torch.is_some() || args.arrays.is_some() {
        said.push_str(&export_models(args)?);
    }
    if let Some(out) = &args.half {
        check_new_file("--half", out)?;
        let bytes = half(&args.run, args.which())?;
        Writer::default().write(out, &bytes)?;
        let _ = writeln!(said, "Weights in half precision are in {} ({} bytes).", out.display(), bytes.len());
    }
    if let Some(out) = &args.attacks {
        let kept = export_attacks(&args.run, "--attacks", out)?;
        let _ = writeln!(said, "Reconstructions and scores are in {}:", out.display());
        for name in kept.files.iter().filter_map(|path| path.file_name()) {
            let _ = writeln!(said, "  {}", name.display());
        }
        if kept.without > 0 {
            let attacks = if kept.without == 1 { "one attack" } else { &format!("{} attacks", kept.without) };
            let _ =
                writeln!(said, "Of {attacks} there are none: a build launched them that kept no more than pictures.");
        }
    }
    print(&said)
}

fn export_models(args: &ExportArgs) -> Result<String> {
    let trained = Trained::of(&args.run, args.which())?;
    // Everything is known to be possible before anything is written.
    if let Some(out) = &args.torch {
        check_new_folder("--torch", out)?;
    }
    let arrays = args.arrays.as_deref().map(|out| {
        check_new_file("--arrays", out)?;
        trained.arrays(args.images.as_deref())
    });
    let arrays = arrays.transpose()?;
    let writer = Writer::default();
    let mut said = String::new();
    if args.best {
        let _ = writeln!(said, "The weights are of the best epochs: {}.", trained.epochs);
    }
    if let (Some(out), Some(arrays)) = (&args.arrays, &arrays) {
        writer.write(out, &npz(arrays)?)?;
        let _ = writeln!(said, "Arrays are in {}:", out.display());
        let widest = arrays.iter().map(|array| array.name.len()).max().unwrap_or(0);
        for Array { name, shape, .. } in arrays {
            let _ = writeln!(said, "  {name:widest$}  {}", shape_text(shape));
        }
    }
    if let Some(out) = &args.torch {
        fill_new_folder("--torch", out, |folder| trained.write_torch(&writer, folder))?;
        let _ = writeln!(said, "Weights are in {}; load() of load.py there gives the model.", out.display());
    }
    Ok(said)
}

/// A run's models with weights that it kept.
struct Trained {
    /// Its folder.
    run: PathBuf,
    experiment: Experiment,
    /// The run's own; its vanilla twin, where there is one.
    models: Vec<SplitModel>,
    /// After which epochs, in words.
    epochs: String,
}

impl Trained {
    fn of(run: &Path, which: Which) -> Result<Self> {
        let (mut experiment, kept) = best::models(run, which)?;
        let epochs = best::words(&kept);
        // The weights are the same on every device, and this machine may not have the run's.
        experiment.device = experiment::Device::Cpu;
        experiment.validate()?;
        let models = kept.into_iter().map(|kept| kept.model).collect();
        Ok(Self { run: run.to_owned(), experiment, models, epochs })
    }

    /// What the models make of the images in a file, or of the run's test images.
    fn arrays(&self, file: Option<&Path>) -> Result<Vec<Array>> {
        if let Some(file) = file {
            let shape = self.models.first().map_or([0; 3], |model| model.plan.image);
            return arrays(&self.models, &read_images(file, shape)?, None);
        }
        let test = Prepared::of_run(&self.run, self.experiment.clone(), &DataChoice::default())?.test;
        arrays(&self.models, &test.tensor(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?, Some(test.labels()))
    }

    /// Weights and loader of the run's own model; those of its twin in a folder of its name.
    fn write_torch(&self, writer: &Writer, out: &Path) -> Result<()> {
        for (i, model) in self.models.iter().enumerate() {
            let folder = if i == 0 { out.to_owned() } else { out.join(&model.plan.name) };
            fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
            for (party, weights) in [("client", model.client.parameters()), ("server", model.server.parameters())] {
                let bytes = weights_file(&weights.snapshot()?)?;
                writer.write(&folder.join(format!("{party}.safetensors")), &bytes)?;
            }
            let code = loader(&model.plan, model.server.votes().as_deref())?;
            writer.write(&folder.join("load.py"), code.as_bytes())?;
        }
        Ok(())
    }
}
