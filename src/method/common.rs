//! What is common to all: the parties, what crosses, and how it is judged; and the symbols that most formulas have.

use super::{Formula, Ink, Live, Place, Section, Symbol, symbol};

/// Symbols that most formulas have.
pub static SYMBOLS: &[Symbol] = &[
    symbol("x", "the image as it is", Ink::Patient),
    symbol("\\tilde{x}", "what enters the client's layers: the image, or what a defence made of it", Ink::Disguised),
    symbol("\\hat{x}", "the disguised image: the paper's attacked image", Ink::Disguised),
    symbol("x^*", "the stolen image: the attacker's reconstruction", Ink::Attacker),
    symbol("z", "the smashed data: what crosses the wire", Ink::Smashed),
    symbol("f", "the client's layers", Ink::Patient),
    symbol("θ_c", "the weights of the client's layers", Ink::Plain),
    symbol("g", "the server's layers", Ink::Cleaned),
    symbol("y", "the label", Ink::Plain),
    symbol("\\hat{y}", "the predicted class", Ink::Decision),
    symbol("ℓ", "the loss", Ink::Plain),
    symbol("C", "channels of the image", Ink::Plain),
    symbol("H", "its height in pixels", Ink::Plain),
    symbol("W", "its width in pixels", Ink::Plain),
    symbol("D", "the smashed data of one image as a matrix: channels × positions", Ink::Smashed),
    symbol("L", "the recovered features: what the server keeps of the smashed data", Ink::Cleaned),
    symbol("S", "the recovered gradient map: what the server takes out of them", Ink::Found),
];

/// What every split model has.
pub static PARTIES: Section = Section {
    id: "parties",
    title: "Parties and the wire",
    source: "METHOD §1",
    text: include_str!("../../assets/method/parties.md"),
    formulas: &[
        Formula {
            id: "smashed",
            title: "Smashed data",
            place: Some(Place::Wire),
            text: r"z = f(\tilde{x}; θ_c)",
            live: |sight| {
                sight.numbers()?;
                Some(vec![Live::shape("z", sight.crossed), Live::shape("\\tilde{x}", &sight.image)])
            },
            ..Formula::BASE
        },
        Formula {
            id: "amount",
            title: "How much crosses",
            place: Some(Place::Wire),
            text: r"q = \frac{n_z}{n_x} \quad b = 4 · n_z",
            symbols: &[
                symbol("n_z", "numbers that cross for one image", Ink::Smashed),
                symbol("n_x", "numbers of the image", Ink::Patient),
                symbol("q", "numbers that cross for each of the image's", Ink::Plain),
                symbol("b", "bytes that cross for one image, four a number, unless a defence packs them", Ink::Smashed),
            ],
            live: |sight| {
                let (crossed, pixels) = (sight.numbers()?, sight.pixels().max(1));
                Some(vec![
                    Live::real("q", crossed as f64 / pixels as f64),
                    Live::count("n_z", crossed),
                    Live::count("n_x", pixels),
                    Live::count("b", size_of::<f32>() * crossed),
                ])
            },
            ..Formula::BASE
        },
        Formula { id: "back", title: "What comes back", text: r"\frac{∂ℓ}{∂z}", ..Formula::BASE },
        Formula {
            id: "answer",
            title: "The server's answer",
            place: Some(Place::Server),
            text: r"S = softmax(g(z)) \quad \hat{y} = \argmax_{k} S_k \quad S_{\hat{y}} = s",
            symbols: &[
                symbol("S", "the classes' shares of the whole", Ink::Decision),
                symbol("S_k", "the share of class k", Ink::Decision),
                symbol("S_{\\hat{y}}", "the share of the predicted class", Ink::Decision),
                symbol("s", "how sure the server is", Ink::Decision),
            ],
            live: |sight| {
                // Several streams have formulas of their own.
                let plain = sight.shares.is_empty().then_some(sight.decided?)?;
                Some(vec![Live::real("s", f64::from(plain))])
            },
            ..Formula::BASE
        },
    ],
};

/// How all is judged.
pub static JUDGING: Section = Section {
    id: "judging",
    title: "Judging honestly",
    source: "METHOD §6",
    text: include_str!("../../assets/method/judging.md"),
    formulas: &[
        Formula {
            id: "psnr",
            title: "How far the stolen image is from the original",
            text: r"MSE = \frac{1}{n} \sum_{i} (x^*_i − x_i)^2 \quad PSNR = 10 · log_{10} \frac{1}{MSE}",
            symbols: &[
                symbol("x_i", "a pixel of the original", Ink::Patient),
                symbol("x^*_i", "a pixel of the stolen image", Ink::Attacker),
                symbol("n", "pixels of the image, in all channels", Ink::Plain),
                symbol("MSE", "mean squared error of pixels in 0 to 1", Ink::Plain),
                symbol("PSNR", "peak signal-to-noise ratio in dB, for a peak of 1; higher is a worse leak", Ink::Plain),
            ],
            ..Formula::BASE
        },
        Formula {
            id: "ssim",
            title: "How alike their structure is",
            text: r"SSIM = \frac{(2 m_x m_* + c_1)(2 σ_{x*} + c_2)}{(m_x^2 + m_*^2 + c_1)(σ_x^2 + σ_*^2 + c_2)}",
            symbols: &[
                symbol(
                    "SSIM",
                    "structural similarity, 1 for equal images: the mean over a Gaussian window's places",
                    Ink::Plain,
                ),
                symbol("m_x", "mean of the original in the window", Ink::Patient),
                symbol("m_*", "mean of the stolen image in the window", Ink::Attacker),
                symbol("σ_x", "standard deviation of the original in the window", Ink::Patient),
                symbol("σ_*", "standard deviation of the stolen image in the window", Ink::Attacker),
                symbol("σ_{x*}", "covariance of the two in the window", Ink::Plain),
                symbol("c_1", "0.01 squared, for pixels in 0 to 1", Ink::Plain),
                symbol("c_2", "0.03 squared, for pixels in 0 to 1", Ink::Plain),
            ],
            ..Formula::BASE
        },
        Formula {
            id: "lineup",
            title: "The line-up",
            text: r"p = \argmax_{i ∈ 1…8} corr(x^*, x_i)",
            symbols: &[
                symbol("x_i", "an image of the line-up: the original, or one of seven of its class", Ink::Patient),
                symbol("p", "the image that is picked", Ink::Attacker),
                symbol("corr", "Pearson's correlation of the pixels", Ink::Plain),
            ],
            ..Formula::BASE
        },
        Formula {
            id: "lead",
            title: "The lead over a guess",
            text: r"d = \frac{1}{N} \sum_{t} (r_t − c_t)",
            symbols: &[
                symbol("d", "the lead: how far the attack is above the best guess", Ink::Attacker),
                symbol("r_t", "what the attack scored on target t", Ink::Attacker),
                symbol("c_t", "what the guess scored on the same target", Ink::Plain),
                symbol("N", "targets; a verdict takes 32", Ink::Plain),
            ],
            ..Formula::BASE
        },
    ],
};
