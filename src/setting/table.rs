//! The table itself, in the order of the document.

use super::{Kind, Plain, Setting, list, log, real, whole};

/// A share: above 0, up to 1.
pub const SHARE: Kind = Kind::Real { min: 0.0, max: 1.0, log: false, open_min: true };
/// A threshold of the recovery.
pub const MU: Kind = log(0.001, 100.0);
const SIDE: Kind = whole(1, 8192);

const IMAGES: Kind = whole(1, 10_000);
const RATE: Kind = log(1e-7, 1.0);

/// Every setting of the document but `schema`, which says how to read the rest, and those of attacks and
/// defences, which stand with each.
pub static SETTINGS: &[Setting] = &[
    Setting::new(
        "seed",
        "Seed",
        "",
        whole(0, i64::MAX),
        "Weights, the order of the images and the attacks' starts are drawn from it: same seed, same numbers. Other \
         seeds show how much of a result is luck.",
    ),
    Setting::new(
        "threads",
        "Processor threads",
        "threads",
        whole(0, super::MOST_THREADS as i64),
        "0 uses every core. The numbers of a run do not depend on it.",
    ),
    Setting::new(
        "device",
        "Device",
        "",
        Kind::Choice(&["cpu", "cuda", "metal"]),
        "Where the networks run. cuda and metal need a build with the feature of that name.",
    ),
    Setting::new(
        "data.name",
        "Images",
        "",
        Kind::Text,
        "mnist and brainmri are built in; anything with a slash or a dot is a path to images of your own.",
    )
    .paper("MIAS mammograms and MNIST"),
    Setting::new(
        "data.aux",
        "Attacker's share",
        "of the training images",
        real(0.01, 0.5),
        "Images that the attacker owns. They are taken out of the victim's training and never scored.",
    )
    .here("0.125"),
    Setting::new(
        "data.train",
        "Training images",
        "images",
        whole(0, 10_000_000),
        "Train on the first so many of the victim's images; 0 takes all.",
    ),
    Setting::new(
        "data.test",
        "Test images",
        "images",
        whole(0, 10_000_000),
        "Score on so many of the held-out images; 0 takes all.",
    ),
    Setting::new(
        "data.draw",
        "Draw the test images",
        "",
        Kind::Choice(&["balanced", "first"]),
        "balanced takes as many of each class as there are, drawn by the seed; first takes the first as the file has \
         them, which in a sorted file are all of one class. A file of schema 1, or of none, that sets data.test and not \
         this means first.",
    )
    .since(2, Plain::Word("first"))
    .matters_with("data.test"),
    Setting::new(
        "data.kind",
        "Reader",
        "",
        Kind::Text,
        "What the file or folder is read as: auto asks each reader in turn; `cutlayer data --help` names them.",
    )
    .since(3, Plain::Word("auto")),
    Setting::new(
        "data.range",
        "Black and white",
        "",
        Kind::Text,
        "Which values are black and white, as in 0..255: auto finds it by the values there are, and says what it found.",
    )
    .since(3, Plain::Word("auto")),
    Setting::new(
        "data.labels",
        "Labels",
        "",
        Kind::Text,
        "Which labels are learned where a set has several, as severity or density of MIAS: auto takes the first.",
    )
    .since(3, Plain::Word("auto")),
    Setting::new(
        "data.view",
        "Part of the picture",
        "",
        Kind::Text,
        "Which part of each picture is taken where a reader knows several, as patch or film of MIAS: auto takes the first.",
    )
    .since(3, Plain::Word("auto")),
    Setting::new(
        "data.size",
        "Size",
        "pixels",
        whole(0, 1024),
        "Height and width that images are scaled to, the whole picture on a black square; 0 leaves them as they are.",
    )
    .since(3, Plain::Whole(0)),
    Setting::new(
        "data.channels",
        "Colour",
        "",
        Kind::Choice(&["own", "grey", "colour"]),
        "own leaves images as they are; grey makes one channel of colours, colour three channels of grey.",
    )
    .since(3, Plain::Word("own")),
    Setting::new(
        "data.split",
        "Parts",
        "",
        Kind::Choice(&["given", "drawn"]),
        "given keeps the parts for training, validation and testing that a file has; drawn draws them anew, class by class \
         and patient by patient, 70, 10 and 20 %. What has no parts is drawn either way.",
    )
    .since(3, Plain::Word("given")),
    Setting::new(
        "data.split_seed",
        "Seed of the parts",
        "",
        whole(0, 4_294_967_295),
        "What the parts are drawn by, where they are drawn. The seed of the run leaves them as they are.",
    )
    .since(3, Plain::Whole(0)),
    Setting::new(
        "data.folds",
        "Folds",
        "folds",
        whole(0, 20),
        "Draw all images into so many folds, class by class and patient by patient, and test each in turn with a training \
         of its own: for sets with too few test images. 0 for none.",
    )
    .since(4, Plain::Whole(0)),
    Setting::new(
        "data.fold",
        "Fold",
        "",
        whole(0, 20),
        "Which fold this run tests, from 1; 0 runs all of them, one after another, each in a folder of its own.",
    )
    .since(4, Plain::Whole(0)),
    Setting::new(
        "data.even",
        "Even folds",
        "",
        Kind::Switch,
        "Folds are as even in size as whole patients allow, and no class is missing from one where enough patients have it. \
         Off, as in files before schema 6, each class is shared out by itself, from the first fold on.",
    )
    .since(6, Plain::Switch(false))
    .matters_with("data.folds"),
    Setting::new(
        "model.name",
        "Model",
        "",
        Kind::Text,
        "A model that Cutlayer knows: split-cnn, lenet5, dlg-lenet, vgg-he, resnet8, residual-cnn, deep-cnn. Where the layers are \
         listed, any name of your own.",
    )
    .here("split-cnn"),
    Setting::new(
        "model.layers",
        "Layers",
        "",
        Kind::Layers,
        "The network in order; every entry counts, relu and flatten too. The first ones, up to the cut, stay in the \
         hospital.",
    ),
    Setting::new(
        "model.input",
        "Input",
        "channels, height, width",
        list(&SIDE, 3, 3, false),
        "The shape of the images that the model is meant for. Without it the data decide.",
    ),
    Setting::new(
        "model.cut",
        "Cut",
        "layers",
        whole(1, MAX_CUT),
        "How many layers stay in the hospital. A later cut leaks less, since pooling and depth throw detail away, and \
         costs the device more.",
    )
    .here("4"),
    Setting::new(
        "train.epochs",
        "Epochs",
        "epochs",
        whole(1, 10_000),
        "How often the training goes through all images.",
    )
    .here("6"),
    Setting::new(
        "train.batch",
        "Batch",
        "images",
        whole(1, 4096),
        "Images in one exchange between client and server. A small set needs small batches, or it hardly learns.",
    )
    .here("64"),
    Setting::new("train.rate", "Learning rate", "", RATE, "The optimiser's step size, the same for client and server.")
        .here("0.001"),
    Setting::new(
        "train.optimizer",
        "Optimiser",
        "",
        Kind::Choice(&["adam", "sgd"]),
        "What takes the training's steps. Adam finds each weight's step itself; plain stochastic gradient descent (sgd) \
         wants a learning rate some 10 to 100 times as large.",
    )
    .here("adam")
    .since(2, Plain::Word("adam")),
    Setting::new(
        "train.momentum",
        "Momentum",
        "",
        Kind::Real { min: 0.0, max: 0.999, log: false, open_min: false },
        "The share of the last step that sgd goes on with. Adam has its own and takes no notice.",
    )
    .here("0.9")
    .since(2, Plain::Real(0.9)),
    Setting::new(
        "train.twin",
        "Vanilla twin",
        "",
        Kind::Switch,
        "Train an undefended model of the same size equally long. It is what fused − clean compares with.",
    )
    .here("on"),
    Setting::new(
        "train.schedule",
        "Schedule",
        "",
        Kind::Choice(&["constant", "cosine", "step"]),
        "What becomes of the learning rate: it stays, falls along half a cosine, or is a tenth after half of the epochs and a \
         hundredth after three quarters.",
    )
    .since(4, Plain::Word("constant")),
    Setting::new(
        "train.warmup",
        "Warm-up",
        "epochs",
        whole(0, 10_000),
        "Epochs at the start in which the learning rate rises evenly to its full height.",
    )
    .since(4, Plain::Whole(0)),
    Setting::new(
        "train.class_weights",
        "Class weights",
        "",
        Kind::Choice(&["alike", "balanced"]),
        "balanced counts images of rare classes more, so that every class has the same say: without, a model of an uneven set \
         may name the largest class alone and look accurate.",
    )
    .since(4, Plain::Word("alike")),
    Setting::new(
        "train.flip",
        "Mirror at random",
        "",
        Kind::Switch,
        "Mirror every other training image from left to right, drawn anew in each epoch. Never done to what is tested or \
         attacked. Not for digits, nor where the side matters.",
    )
    .since(4, Plain::Switch(false)),
    Setting::new(
        "train.shift",
        "Move at random",
        "of the side",
        Kind::Real { min: 0.0, max: 0.5, log: false, open_min: false },
        "Move training images by up to this share of their sides, drawn anew in each epoch; black comes in.",
    )
    .since(4, Plain::Real(0.0)),
    Setting::new(
        "train.rotate",
        "Turn at random",
        "degrees",
        Kind::Real { min: 0.0, max: 180.0, log: false, open_min: false },
        "Turn training images by up to so many degrees either way, drawn anew in each epoch; black comes in.",
    )
    .since(4, Plain::Real(0.0)),
    Setting::new(
        "train.contrast",
        "Contrast at random",
        "",
        Kind::Real { min: 0.0, max: 0.9, log: false, open_min: false },
        "Raise or lower the contrast of training images by up to this share, drawn anew in each epoch.",
    )
    .since(4, Plain::Real(0.0)),
    Setting::new(
        "train.patience",
        "Patience",
        "epochs",
        whole(0, 10_000),
        "End the training of a model once its balanced accuracy on the validation images has not risen for so many epochs; 0 \
         trains through all.",
    )
    .since(4, Plain::Whole(0)),
    Setting::new(
        "train.weights",
        "Weights in the end",
        "",
        Kind::Choice(&["last", "best"]),
        "Which weights are tested and attacked in the end: those of the last epoch, or of the one with the best balanced \
         accuracy on the validation images. The test images have no say.",
    )
    .since(4, Plain::Word("last")),
    Setting::new(
        "evaluate.gammas",
        "Strengths in the curve",
        "of the pixels",
        list(&SHARE, 0, 64, true),
        "The γ at which the gains are measured again, since one γ can be chosen to flatter.",
    )
    .here("0.02, 0.05, 0.1, 0.2"),
    Setting::new(
        "evaluate.mus",
        "Thresholds in the curve",
        "",
        list(&MU, 0, 64, true),
        "The μ at which the recovery's error is measured.",
    )
    .here("0.05, 0.2, 0.55, 1.2, 3.5"),
    Setting::new(
        "evaluate.mu_images",
        "Images in the μ curve",
        "images",
        IMAGES,
        "How many test images the recovery's error is averaged over.",
    )
    .here("64"),
    Setting::new(
        "evaluate.fgsm_epsilon",
        "FGSM step",
        "of the pixel range",
        SHARE,
        "How far the fast gradient sign attack moves every pixel; 8/255 is the usual value.",
    )
    .here("8/255"),
    Setting::new(
        "evaluate.positive",
        "Positive class",
        "",
        Kind::Text,
        "Of two classes, the one whose images sensitivity counts, by name or number; specificity counts the other's. auto \
         takes the second.",
    )
    .since(4, Plain::Word("auto")),
    Setting::new(
        "evaluate.merge",
        "Merged classes",
        "",
        Kind::Text,
        "A second table of the same answers with classes put together, as in abnormal = benign + malignant; none for no such \
         table.",
    )
    .since(4, Plain::Word("none")),
    Setting::new(
        "evaluate.read",
        "Read off stolen images",
        "",
        Kind::Text,
        "Labels that a classifier of the judge's own, trained on clean training images, reads off what attackers stole: own for \
         the run's, others by name, as in own, density. none for nothing.",
    )
    .since(4, Plain::Word("none")),
];

#[expect(clippy::cast_possible_wrap, reason = "a small constant")]
const MAX_CUT: i64 = super::MAX_LAYERS as i64 - 1;
