//! The settings of `[psgl]`, in the order of the document.

use crate::score::paper::MU_SETTING;
use crate::setting::{Kind, MU, Plain, SHARE, Setting, list, real, whole};

const WEIGHT: Kind = real(0.0, 1000.0);

/// All of them; keys without the section.
pub(super) static SETTINGS: [Setting; 16] = [
    Setting::new(
        "enabled",
        "PSGL",
        "",
        Kind::Switch,
        "Defend with proximal gradient split learning. Off is plain split learning: the client sends what its layers \
         give.",
    ),
    Setting::new(
        "gamma",
        "Strength γ",
        "of the pixels",
        SHARE,
        "Share of the pixels that the client moves before it sends. The paper's gains are measured against the \
         disguised image and so grow with it; read fused − clean beside them.",
    )
    .here("0.10"),
    Setting::new(
        "theta",
        "Step θ",
        "of the pixel range",
        SHARE,
        "How far a chosen pixel moves; 1 goes from black to white.",
    )
    .here("1.0"),
    Setting::new(
        "apply",
        "Disguise",
        "",
        Kind::Choice(&["sparse", "dense"]),
        "sparse moves the share γ of pixels that matter most by θ; dense adds θ × map to every pixel.",
    )
    .paper("dense"),
    Setting::new(
        "mirror",
        "Mirror case",
        "",
        Kind::Switch,
        "Also darken pixels whose brightness speaks for the predicted class; the paper only brightens those that speak \
         against it.",
    )
    .paper("off"),
    Setting::new(
        "jacobian",
        "Gradient map from",
        "",
        Kind::Choice(&["head", "server"]),
        "head keeps a small classifier on the client. server asks the server, which first has to see the clean smashed \
         data; those bytes are counted.",
    )
    .paper("server"),
    Setting::new(
        "mu",
        "Recovery threshold μ",
        "",
        MU,
        "How much the server's recovery smooths: small keeps the disguise, large wipes out the image with it. The best \
         value differs from data to data.",
    )
    .paper(MU_SETTING),
    Setting::new(
        "iterations",
        "Recovery steps, features",
        "iterations",
        whole(1, 200),
        "Steps of the server's recovery on each sample's smashed data; most of a training step goes here.",
    )
    .here("12"),
    Setting::new(
        "image_iterations",
        "Recovery steps, images",
        "iterations",
        whole(1, 200),
        "The same on images, for the table's recovered rows and the curve over μ.",
    )
    .here("15"),
    Setting::new(
        "map_norm",
        "Map's norm",
        "",
        Kind::Choice(&["l1", "nuclear"]),
        "What the recovered map is taken to be: a few strong entries (l1) or low rank (nuclear). The paper's formula \
         subtracts the second norm, which is not convex; nuclear adds it.",
    )
    .paper("nuclear"),
    Setting::new(
        "fuse_relu",
        "Relu in the fusion",
        "",
        Kind::Switch,
        "Put a relu after the convolution that fuses received and recovered features.",
    )
    .paper("off"),
    Setting::new(
        "weights",
        "Vote weights",
        "recovered, fused, attacked",
        list(&WEIGHT, 3, 3, false),
        "How much each stream counts in the decision, times its own confidence. Only their ratio matters.",
    )
    .paper("0.5, 0.3, 0.2"),
    Setting::new(
        "weights_from",
        "Weights from",
        "",
        Kind::Choice(&["setting", "streams"]),
        "setting takes the weights above; streams orders them by how well this run's own streams do, which need not be \
         the paper's order.",
    )
    .paper("setting"),
    Setting::new(
        "send",
        "Sent when testing",
        "",
        Kind::Choice(&["attacked", "clean"]),
        "Whether a trained client still disguises its images or sends them as they are, with an empty map.",
    )
    .here("attacked"),
    Setting::new(
        "attack",
        "Intentional attack",
        "",
        Kind::Switch,
        "Off leaves the attack out, in training and testing: images are sent as they are, with an empty map, and all else \
         stays. It tells what the attack does to accuracy; it is no defence.",
    )
    .paper("on")
    .since(7, Plain::Switch(true)),
    Setting::new(
        "server",
        "Server",
        "",
        Kind::Choice(&["streams", "unrecovered", "unfused", "large", "plain"]),
        "streams is PSGL. The others leave a part out, to tell what it does: unrecovered the recovery, unfused the \
         convolution that fuses features; large has one stream with as many weights as three, plain one of the usual size.",
    )
    .paper("streams")
    .since(7, Plain::Word("streams")),
];
