use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use tempfile::TempDir;

use super::*;
use crate::data;
use crate::data::numpy::{Array, Values, npz};
use crate::whole_files::Writer;

const LAYERS: &str = "input = [1, 28, 28]\nlayers = [{ conv = 4, kernel = 3, padding = 1 }, \"relu\", { maxpool = 2 }]";

/// A folder with all parts of a victim: eight digits, twelve of the attacker's own.
struct Parts {
    folder: TempDir,
    smashed: Array,
    images: Array,
}

impl Parts {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write(&path("model.toml"), LAYERS.as_bytes());
        let specs: Model = toml::from_str(LAYERS).unwrap();
        let mut parameters = Parameters::default();
        let init = Init { seed: Seed(4), model: "test", device: &Device::Cpu };
        Network::init("client", &specs.input, &specs.layers, &mut parameters, init).unwrap();
        // As PyTorch names them: without a prefix.
        let named = parameters.iter().map(|(name, var)| (name.replace("client.", ""), var.as_detached_tensor()));
        let tensors: std::collections::HashMap<String, Tensor> = named.collect();
        candle_core::safetensors::save(&tensors, path("client.safetensors")).unwrap();
        let client = Network::of("client", &specs.layers, &parameters).unwrap().frozen();
        let arrays = |part: &Part| {
            let x = part.tensor(&Device::Cpu).unwrap();
            let z = client.forward(&x).unwrap();
            let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            (Array::f32(SMASHED, z.dims(), values(&z)), Array::f32(IMAGES, x.dims(), values(&x)))
        };
        let set = data::built_in("mnist").unwrap();
        let (smashed, images) = arrays(&set.test.take(8));
        let labels = Array::classes(LABELS, set.test.take(8).labels().iter().copied());
        write(&path("z.npz"), &npz(&[smashed.clone(), images.clone(), labels]).unwrap());
        let (own, of_own) = arrays(&set.train.take(12));
        write(&path("a.npz"), &npz(&[own, of_own]).unwrap());
        Self { folder, smashed, images }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn all(&self) -> Paths {
        Paths {
            model: Some(self.path("model.toml")),
            client: Some(self.path("client.safetensors")),
            smashed: self.path("z.npz"),
            own: Some(self.path("a.npz")),
        }
    }

    fn refused(paths: &Paths) -> String {
        Victim::open(paths).unwrap_err().to_string()
    }
}

fn write(path: &Path, bytes: &[u8]) {
    Writer::default().write(path, bytes).unwrap();
}

#[test]
fn a_whole_victim_is_opened_and_its_client_sends_what_was_sent() {
    let parts = Parts::new();
    let victim = Victim::open(&parts.all()).unwrap();
    assert_eq!((victim.image, victim.targets(), victim.classes), ([1, 28, 28], 8, 9));
    let truth = victim.truth.as_ref().unwrap().tensor(&Device::Cpu).unwrap();
    let again = victim.client.as_ref().unwrap().forward(&truth).unwrap();
    let apart = (again - &victim.smashed).unwrap().abs().unwrap().max_all().unwrap();
    assert!(apart.to_scalar::<f32>().unwrap() < 1e-6);
    let own = victim.own.as_ref().unwrap().tensor(&Device::Cpu).unwrap();
    // What is known of the attacker's images is what was recorded of them.
    let known = victim.knowledge(None, Seed(0), "x");
    let recorded = known.smash_own(&own.narrow(0, 3, 2).unwrap(), 3).unwrap();
    let apart = (recorded - victim.pairs.as_ref().unwrap().narrow(0, 3, 2).unwrap()).unwrap();
    assert_eq!(apart.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap(), 0.0);
}

#[test]
fn pairs_alone_are_a_victim_whose_client_cannot_be_asked() {
    let parts = Parts::new();
    let paths = Paths { model: None, client: None, ..parts.all() };
    let victim = Victim::open(&paths).unwrap();
    assert_eq!((victim.image, victim.client.is_none()), ([1, 28, 28], true));
    // The attacker's images come without labels here: the targets' then mean nothing beside them.
    assert!(!victim.labelled && victim.truth.as_ref().unwrap().labels().iter().all(|label| *label == UNKNOWN));
    let known = victim.knowledge(None, Seed(0), "x");
    known.check_oracle().unwrap();
    let asked = known.smash(&victim.own.as_ref().unwrap().tensor(&Device::Cpu).unwrap());
    assert!(asked.unwrap_err().to_string().contains("it can be asked about no other images"));
    let alone = Paths { own: None, smashed: parts.path("z.npz"), ..Paths::default() };
    // The targets' images say what images are like, which an attacker knows.
    assert_eq!(Victim::open(&alone).unwrap().image, [1, 28, 28]);
}

#[test]
fn parts_that_do_not_fit_are_named_with_what_was_wanted_and_found() {
    let parts = Parts::new();
    let all = parts.all();
    write(&parts.path("deep.toml"), LAYERS.replace("maxpool = 2", "maxpool = 4").as_bytes());
    let deep = Parts::refused(&Paths { model: Some(parts.path("deep.toml")), ..all.clone() });
    assert!(deep.contains("make [4, 7, 7] of an image, and the array smashed has [4, 14, 14]"), "{deep}");
    assert!(deep.ends_with("deep.toml"), "{deep}");
    write(&parts.path("wide.toml"), LAYERS.replace("kernel = 3, padding = 1", "kernel = 5, padding = 2").as_bytes());
    let wide = Parts::refused(&Paths { model: Some(parts.path("wide.toml")), ..all.clone() });
    assert!(wide.contains("client.0.weight is [4, 1, 3, 3], the model wants [4, 1, 5, 5]"), "{wide}");
    assert!(wide.ends_with("client.safetensors"), "{wide}");
    write(&parts.path("odd.toml"), LAYERS.replace("maxpool", "maxpol").as_bytes());
    let odd = Parts::refused(&Paths { model: Some(parts.path("odd.toml")), ..all.clone() });
    assert!(odd.contains("maxpol") && odd.ends_with("odd.toml"), "{odd}");
    let lone = Parts::refused(&Paths { model: None, ..all.clone() });
    assert!(lone.contains("--model"), "{lone}");
    let layers = Victim::open(&Paths { client: None, ..all.clone() }).unwrap();
    assert!(layers.client.is_none() && layers.layers.len() == 3);
    write(&parts.path("no.npz"), &npz(std::slice::from_ref(&parts.images)).unwrap());
    let no = Parts::refused(&Paths { smashed: parts.path("no.npz"), ..all.clone() });
    assert!(no.contains("there is no array smashed; it holds images") && no.ends_with("no.npz"), "{no}");
    let mut broken = parts.smashed.clone();
    if let Values::F32(values) = &mut broken.values {
        values[17] = f32::NAN;
    }
    write(&parts.path("nan.npz"), &npz(&[broken]).unwrap());
    let nan = Parts::refused(&Paths { smashed: parts.path("nan.npz"), ..all.clone() });
    assert!(nan.contains("not finite") && nan.ends_with("nan.npz"), "{nan}");
    let three = Array::classes(LABELS, [1, 2, 3]);
    write(&parts.path("few.npz"), &npz(&[parts.smashed.clone(), parts.images.clone(), three]).unwrap());
    let few = Parts::refused(&Paths { smashed: parts.path("few.npz"), ..all.clone() });
    assert!(few.contains("holds 8 images, and there are 3 labels"), "{few}");
    write(&parts.path("none.npz"), &npz(std::slice::from_ref(&parts.smashed)).unwrap());
    let none = Parts::refused(&Paths { smashed: parts.path("none.npz"), ..Paths::default() });
    assert!(none.contains("nothing says what the images are like"), "{none}");
    let text = Parts::refused(&Paths { smashed: parts.path("model.toml"), ..all.clone() });
    assert!(text.contains("not a readable .npz"), "{text}");
    let weights = Tensor::zeros((4, 1, 3, 3), DType::F32, &Device::Cpu).unwrap();
    let bad = (weights.clone() / 0.0).unwrap();
    candle_core::safetensors::save(
        &[("0.weight", bad), ("0.bias", weights.flatten_all().unwrap().narrow(0, 0, 4).unwrap())]
            .into_iter()
            .map(|(name, t)| (name.to_owned(), t))
            .collect(),
        parts.path("nan.safetensors"),
    )
    .unwrap();
    let nan = Parts::refused(&Paths { client: Some(parts.path("nan.safetensors")), ..all });
    assert!(nan.contains("the weight client.0.weight is not finite"), "{nan}");
}
