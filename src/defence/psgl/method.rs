//! PSGL's formulas with their numbers, by the steps of METHOD §2.

use super::recovery::{MapNorm, Recovery};
use super::strength::{Apply, moving};
use super::{Answering, Options, options};
use crate::method::{Formula, Ink, Live, Place, Section, Sight, Symbol, symbol};

/// PSGL step by step.
pub(super) static SECTIONS: [Section; 6] = [
    Section {
        id: "saliency",
        title: "Intentional attack",
        source: "METHOD §2.1",
        text: include_str!("../../../assets/method/saliency.md"),
        formulas: &[JACOBIAN, MAP, SPARSE, DENSE],
    },
    Section {
        id: "downsampling",
        title: "Reversible downsampling",
        source: "METHOD §2.2",
        text: include_str!("../../../assets/method/downsampling.md"),
        formulas: &[PACKED],
    },
    Section {
        id: "recovery",
        title: "Proximal recovery",
        source: "METHOD §2.4",
        text: include_str!("../../../assets/method/recovery.md"),
        formulas: &[RECOVERY, NUCLEAR, LAMBDA, PROXIMAL, SCHEDULE],
    },
    Section {
        id: "streams",
        title: "Three streams",
        source: "METHOD §2.5",
        text: include_str!("../../../assets/method/streams.md"),
        formulas: &[FUSION, PLAIN_FUSION, STREAMS],
    },
    Section {
        id: "isolation",
        title: "Gradient isolation",
        source: "METHOD §2.6",
        text: include_str!("../../../assets/method/isolation.md"),
        formulas: &[ISOLATION],
    },
    Section {
        id: "decision",
        title: "Decision-level fusion",
        source: "METHOD §2.7",
        text: include_str!("../../../assets/method/decision.md"),
        formulas: &[DECISION],
    },
];

const MAP_SYMBOL: Symbol =
    symbol("map", "the gradient map: how much each pixel matters, and whether for or against", Ink::Map);
const ALPHA: Symbol = symbol("α", "how the predicted class's logit changes with each pixel", Ink::Map);
const BETA: Symbol = symbol("β", "how all other classes' logits together change with it", Ink::Map);
const THETA: Symbol = symbol("θ", "how far a chosen pixel moves, in units of the pixel range", Ink::Disguised);
const MU: Symbol = symbol("μ", "the weight of both norms: the last threshold", Ink::Cleaned);
const LAMBDA_SYMBOL: Symbol = symbol("λ", "the weight of the map's norm beside the nuclear norm", Ink::Found);
const TAU: Symbol = symbol("τ", "the threshold of this step, which falls to μ", Ink::Cleaned);

const JACOBIAN: Formula = Formula {
    id: "jacobian",
    title: "Which pixels matter",
    mark: "A; map E, eq. 1",
    text: r"J_k = \frac{∂ logit_k}{∂x} \quad α = J_{\hat{y}} \quad β = \sum_{k ≠ \hat{y}} J_k",
    symbols: &[
        symbol("J_k", "how the logit of class k changes with each pixel", Ink::Map),
        symbol("J_{\\hat{y}}", "how the predicted class's logit changes with each pixel", Ink::Map),
        ALPHA,
        BETA,
    ],
    ..Formula::BASE
};

const MAP: Formula = Formula {
    id: "map",
    title: "The gradient map",
    place: Some(Place::Hospital),
    mark: "A; map E, eq. 1",
    text: r"map = \frac{1}{m} \cases{−αβ & α < 0 < β \\ +αβ & β < 0 < α \text{ (here)} \\ 0 & \text{otherwise}}",
    symbols: &[
        MAP_SYMBOL,
        ALPHA,
        BETA,
        symbol("m", "the largest size of all products, so that the map lies in −1 to 1", Ink::Plain),
    ],
    live: |sight| {
        if sight.map.is_empty() {
            return None;
        }
        let count = |fits: fn(f32) -> bool| sight.map.iter().filter(|value| fits(**value)).count();
        let (raise, lower) = (count(|value| value > 0.0), count(|value| value < 0.0));
        let all = crate::method::whole(sight.map.len());
        let [raise, lower] = [raise, lower].map(crate::method::whole);
        Some(vec![Live::told("map", format!("of {all} pixels {raise} hurt if raised, {lower} if lowered"))])
    },
};

const SPARSE: Formula = Formula {
    id: "sparse",
    title: "The disguise",
    place: Some(Place::Hospital),
    mark: "here",
    text: r"k = \floor{γ · C · H · W} \\ \hat{x} = clip(x + θ · sign(map)) \text{ at the } k \text{ pixels of largest } \abs{map}",
    symbols: &[
        symbol("k", "pixels that move", Ink::Disguised),
        symbol("γ", "the share of the pixels that move", Ink::Disguised),
        THETA,
        MAP_SYMBOL,
    ],
    live: |sight| {
        let options =
            options(sight.values).ok().filter(|options| options.attack && options.strength.apply == Apply::Sparse)?;
        let [channels, height, width] = sight.image;
        let mut all = vec![
            Live::count("k", moving(options.strength, sight.pixels())),
            Live::real("γ", options.strength.gamma),
            Live::real("θ", options.strength.theta),
            Live::count("C", channels),
            Live::count("H", height),
            Live::count("W", width),
        ];
        all.extend(moved(sight));
        Some(all)
    },
};

const DENSE: Formula = Formula {
    id: "dense",
    title: "The disguise, dense",
    place: Some(Place::Hospital),
    mark: "E, eq. 1",
    text: r"\hat{x} = clip(x + θ · map)",
    symbols: &[THETA, MAP_SYMBOL],
    live: |sight| {
        let options =
            options(sight.values).ok().filter(|options| options.attack && options.strength.apply == Apply::Dense)?;
        Some([Live::real("θ", options.strength.theta)].into_iter().chain(moved(sight)).collect())
    },
};

/// How many pixels of the disguise are others than the image's: those at the end of the range stay where they are.
fn moved(sight: &Sight<'_>) -> Option<Live> {
    let fits = !sight.sent.is_empty() && sight.sent.len() == sight.original.len();
    let differ = || sight.sent.iter().zip(sight.original).filter(|(a, b)| a != b).count();
    fits.then(|| Live::told("\\hat{x}", format!("differs from the image in {} pixels", crate::method::whole(differ()))))
}

const PACKED: Formula = Formula {
    id: "packed",
    title: "Reversible downsampling",
    place: Some(Place::Hospital),
    mark: "E, section IV-B",
    text: r"\tilde{x}_{4c + 2d_y + d_x, i, j} = \hat{x}_{c, 2i + d_y, 2j + d_x} \\ C_p = 4 · C + 1",
    symbols: &[
        symbol("C_p", "channels of what enters the layers: four an image's, and one for the map", Ink::Disguised),
        symbol("\\tilde{x}_{4c + 2d_y + d_x, i, j}", "a number of what enters the client's layers", Ink::Disguised),
        symbol("\\hat{x}_{c, 2i + d_y, 2j + d_x}", "the pixel of the disguised image that it is", Ink::Disguised),
    ],
    live: |sight| {
        let shape = super::downsample::packed_shape(sight.image);
        Some(vec![Live::count("C_p", shape[0]), Live::count("C", sight.image[0]), Live::shape("\\tilde{x}", &shape)])
    },
};

/// The recovery, where it is not left out.
fn at_work(sight: &Sight<'_>) -> Option<Recovery> {
    let options = options(sight.values).ok()?;
    matches!(options.server, Answering::Streams | Answering::Unfused).then_some(options.recovery)
}

/// The recovery at work, with the matrix's sides: channels and positions.
fn recovery(sight: &Sight<'_>, norm: MapNorm) -> Option<(Recovery, usize, usize)> {
    let [channels, height, width] = *sight.crossed else { return None };
    let recovery = at_work(sight)?;
    (recovery.map_norm == norm).then_some((recovery, channels, height * width))
}

fn recovery_values((recovery, rows, cols): (Recovery, usize, usize)) -> Vec<Live> {
    vec![
        Live::real("μ", f64::from(recovery.mu)),
        Live::real("λ", f64::from(Recovery::lambda(rows, cols))),
        Live::told("D", format!("a matrix of {} \u{d7} {}", crate::method::whole(rows), crate::method::whole(cols))),
    ]
}

const RECOVERY: Formula = Formula {
    id: "recovery",
    title: "Recovery",
    place: Some(Place::Server),
    mark: "form E, eqs. 2–5; sign and ℓ1 here",
    text: r"L, S = \argmin_{L, S} μ · (\norm{L}_* + λ · \norm{S}_1) + \frac{1}{2} \norm{D − L − S}^2",
    symbols: &[MU, LAMBDA_SYMBOL],
    live: |sight| Some(recovery_values(recovery(sight, MapNorm::L1)?)),
};

const NUCLEAR: Formula = Formula {
    id: "nuclear",
    title: "Recovery, two nuclear norms",
    place: Some(Place::Server),
    mark: "form E, eqs. 2–5; sign and ℓ1 here",
    text: r"L, S = \argmin_{L, S} μ · (\norm{L}_* + λ · \norm{S}_*) + \frac{1}{2} \norm{D − L − S}^2",
    symbols: &[MU, LAMBDA_SYMBOL],
    live: |sight| Some(recovery_values(recovery(sight, MapNorm::Nuclear)?)),
};

const LAMBDA: Formula = Formula {
    id: "lambda",
    title: "Weight λ",
    place: Some(Place::Server),
    mark: "form E, eqs. 2–5; sign and ℓ1 here",
    text: r"λ = \frac{1}{\sqrt{max(m, n)}}",
    symbols: &[
        LAMBDA_SYMBOL,
        symbol("m", "rows of the matrix: channels of the smashed data", Ink::Smashed),
        symbol("n", "its columns: positions of the smashed data", Ink::Smashed),
    ],
    live: |sight| {
        at_work(sight)?;
        let [channels, height, width] = *sight.crossed else { return None };
        let (rows, cols) = (channels, height * width);
        Some(vec![
            Live::real("λ", f64::from(Recovery::lambda(rows, cols))),
            Live::count("m", rows),
            Live::count("n", cols),
        ])
    },
};

const PROXIMAL: Formula = Formula {
    id: "proximal",
    title: "Thresholding",
    mark: "form E, eqs. 2–5; sign and ℓ1 here",
    text: r"SVT_t(U Σ V^T) = U · max(Σ − t, 0) · V^T \\ soft_t(d) = sign(d) · max(\abs{d} − t, 0)",
    symbols: &[
        symbol("SVT_t", "singular value thresholding: each singular value falls by t, those below go", Ink::Cleaned),
        symbol("soft_t", "soft thresholding: each entry falls by t towards 0", Ink::Found),
        symbol("t", "the threshold: half of τ for L, half of λτ for S", Ink::Plain),
        symbol("U", "left singular vectors", Ink::Plain),
        symbol("Σ", "singular values", Ink::Plain),
        symbol("V^T", "right singular vectors", Ink::Plain),
        symbol("d", "an entry of the matrix", Ink::Plain),
    ],
    ..Formula::BASE
};

const SCHEDULE: Formula = Formula {
    id: "schedule",
    title: "Threshold",
    place: Some(Place::Server),
    mark: "form E, eqs. 2–5; sign and ℓ1 here",
    text: r"τ_0 = max(.99 · σ_1(D), μ) \quad τ = μ \text{ from step } i \text{ of } N",
    symbols: &[
        TAU,
        symbol("τ_0", "the first threshold", Ink::Cleaned),
        symbol("σ_1", "the largest singular value", Ink::Plain),
        MU,
        symbol("i", "the step from which on the threshold is μ: 60 % of all", Ink::Plain),
        symbol("N", "steps of the solver", Ink::Plain),
    ],
    live: |sight| {
        let recovery = at_work(sight)?;
        Some(vec![
            Live::real("μ", f64::from(recovery.mu)),
            Live::count("i", recovery.steps_down()),
            Live::count("N", recovery.iterations),
        ])
    },
};

const FUSION_SYMBOLS: &[Symbol] = &[
    symbol("u", "the fused features", Ink::Fused),
    symbol("conv_{3×3}", "a convolution, learnt with the fused stream", Ink::Fused),
];

const FUSION: Formula = Formula {
    id: "fusion",
    title: "Fusion",
    place: Some(Place::Server),
    mark: "E, eqs. 7–8, which have no relu: a switch",
    text: r"u = relu(conv_{3×3}([z, L])) + z",
    symbols: FUSION_SYMBOLS,
    live: |sight| fused_values(sight, true),
};

const PLAIN_FUSION: Formula = Formula {
    id: "plain-fusion",
    title: "Fusion, without relu",
    place: Some(Place::Server),
    mark: "E, eqs. 7–8, which have no relu: a switch",
    text: r"u = conv_{3×3}([z, L]) + z",
    symbols: FUSION_SYMBOLS,
    live: |sight| fused_values(sight, false),
};

fn fused_values(sight: &Sight<'_>, with_relu: bool) -> Option<Vec<Live>> {
    let options: Options = options(sight.values).ok()?;
    let fuses = matches!(options.server, Answering::Streams | Answering::Unrecovered);
    let at_work = fuses && options.fuse_relu == with_relu && !sight.crossed.is_empty();
    at_work.then(|| vec![Live::shape("z", sight.crossed), Live::shape("u", sight.crossed)])
}

const STREAMS: Formula = Formula {
    id: "streams",
    title: "Streams",
    place: Some(Place::Server),
    text: r"a = g_a(z) \quad r = g_r(L) \quad f = g_f(u)",
    symbols: &[
        symbol("a", "logits of the disguised stream: the paper's attacked stream", Ink::Disguised),
        symbol("g_a", "the disguised stream's layers", Ink::Disguised),
        symbol("r", "logits of the cleaned stream: the paper's recovered stream", Ink::Cleaned),
        symbol("g_r", "the cleaned stream's layers", Ink::Cleaned),
        symbol("f", "logits of the fused stream", Ink::Fused),
        symbol("g_f", "the fused stream's layers", Ink::Fused),
        symbol("u", "the fused features", Ink::Fused),
    ],
    live: |sight| {
        let [a, r, f] = *sight.shares.as_slice() else { return None };
        let sure = |sign, share: f32| Live::told(sign, format!("{:.1} % sure", 100.0 * share));
        Some(vec![sure("a", a), sure("r", r), sure("f", f)])
    },
    ..Formula::BASE
};

const ISOLATION: Formula = Formula {
    id: "isolation",
    title: "Gradient isolation",
    mark: "E",
    text: r"ℓ = CE(a) + CE(r) + CE(f) \quad \frac{∂CE(f)}{∂z} \text{ alone goes back}",
    symbols: &[
        symbol("CE", "cross-entropy with the label", Ink::Plain),
        symbol("a", "logits of the disguised stream", Ink::Disguised),
        symbol("r", "logits of the cleaned stream", Ink::Cleaned),
        symbol("f", "logits of the fused stream", Ink::Fused),
    ],
    ..Formula::BASE
};

const DECISION: Formula = Formula {
    id: "decision",
    title: "Decision",
    place: Some(Place::Server),
    mark: "A; E, eqs. 9–11",
    text: r"s = w_r · S_r + w_f · S_f + w_a · S_a \\ w_r = \frac{ω_r · S_r^{max}}{n} \quad w_f = \frac{ω_f · S_f^{max}}{n} \quad w_a = \frac{ω_a · S_a^{max}}{n} \\ n = ω_r · S_r^{max} + ω_f · S_f^{max} + ω_a · S_a^{max}",
    symbols: &[
        symbol("s", "the fused score of the class", Ink::Decision),
        symbol("w_r", "this image's weight of the cleaned stream", Ink::Cleaned),
        symbol("w_f", "this image's weight of the fused stream", Ink::Fused),
        symbol("w_a", "this image's weight of the disguised stream", Ink::Disguised),
        symbol("S_r", "the cleaned stream's softmax of the class", Ink::Cleaned),
        symbol("S_f", "the fused stream's softmax of the class", Ink::Fused),
        symbol("S_a", "the disguised stream's softmax of the class", Ink::Disguised),
        symbol("S_r^{max}", "the cleaned stream's largest softmax: how sure it is", Ink::Cleaned),
        symbol("S_f^{max}", "the fused stream's largest softmax", Ink::Fused),
        symbol("S_a^{max}", "the disguised stream's largest softmax", Ink::Disguised),
        symbol("ω_r", "the vote weight of the cleaned stream", Ink::Cleaned),
        symbol("ω_f", "the vote weight of the fused stream", Ink::Fused),
        symbol("ω_a", "the vote weight of the disguised stream", Ink::Disguised),
        symbol("n", "the sum that makes the weights add up to 1", Ink::Plain),
    ],
    live: decided,
};

/// What the engine decided with. The vote weights in use may be handed out anew by the streams' order, so they are taken
/// from the decision, on the scale of the setting's sum.
fn decided(sight: &Sight<'_>) -> Option<Vec<Live>> {
    let ([a, r, f], [of_a, of_r, of_f]) =
        (<[f32; 3]>::try_from(sight.shares.as_slice()).ok()?, <[f32; 3]>::try_from(sight.of_decided).ok()?);
    let weights = <[f32; 3]>::try_from(sight.weights).ok()?.map(f64::from);
    let shares = [r, f, a].map(f64::from);
    let votes: [f64; 3] = std::array::from_fn(|i| weights[i] / shares[i]);
    let scale = options(sight.values).ok()?.weights.in_order().iter().sum::<f64>() / votes.iter().sum::<f64>();
    let votes = votes.map(|vote| vote * scale);
    let sum: f64 = votes.iter().zip(shares).map(|(vote, share)| vote * share).sum();
    let mut all = vec![Live::real("s", f64::from(sight.decided?)), Live::real("n", sum)];
    all.extend(["w_r", "w_f", "w_a"].into_iter().zip(weights).map(|(sign, value)| Live::real(sign, value)));
    all.extend(["ω_r", "ω_f", "ω_a"].into_iter().zip(votes).map(|(sign, value)| Live::real(sign, value)));
    all.extend(
        ["S_r^{max}", "S_f^{max}", "S_a^{max}"].into_iter().zip(shares).map(|(sign, value)| Live::real(sign, value)),
    );
    all.extend(
        ["S_r", "S_f", "S_a"]
            .into_iter()
            .zip([of_r, of_f, of_a])
            .map(|(sign, value)| Live::real(sign, f64::from(value))),
    );
    Some(all)
}
