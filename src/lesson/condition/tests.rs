//! Checks as teachers write them, right and wrong.

use super::*;

fn holds(check: &str, now: &Moment, start: &Moment) -> bool {
    Condition::read(check).unwrap().holds(When { now, start, answered: false })
}

#[test]
fn facts_numbers_and_choices_are_asked_of_now() {
    let start = Moment { cut: 2, attacker: "rmle".to_owned(), ..Moment::default() };
    let now = Moment { cut: 6, drawn: true, step: 9, planned: 9, ..start.clone() };
    for check in [
        "drawn",
        "cut >= 6",
        "cut>5",
        "cut=6 and drawn",
        "not defended",
        "attacker = rmle",
        "attacker != inverse",
        "drawn and stolen and not adaptive",
        "  cut  <=  6  ",
        "not cut < 6",
        "source = opening",
    ] {
        assert!(holds(check, &now, &start), "{check}");
    }
    for check in ["not drawn", "cut > 6", "defended", "adaptive and drawn", "attacker = inverse", "run = done"] {
        assert!(!holds(check, &now, &start), "{check}");
    }
}

#[test]
fn deeds_more_and_changed_are_asked_since_the_step_began() {
    let start = Moment { cut: 2, strokes: 3, stepped: 4, epochs: 1, ..Moment::default() };
    let relative = ["stepped", "more strokes", "changed cut", "more epochs", "changed attacker"];
    for check in relative {
        assert!(!holds(check, &start, &start), "{check}");
    }
    let mut now = Moment { cut: 4, strokes: 4, stepped: 5, epochs: 2, attacker: "rmle".to_owned(), ..start.clone() };
    assert!(relative.iter().all(|check| holds(check, &now, &start)));
    now.strokes = 2;
    assert!(!holds("more strokes", &now, &start));
    let with = |gamma| [("psgl.gamma".to_owned(), gamma)].into();
    let (start, now) = (Moment { settings: with(0.1), ..start }, Moment { settings: with(0.3), ..now });
    assert!(holds("psgl.gamma >= 0.3 and changed psgl.gamma and more psgl.gamma", &now, &start));
    assert!(!holds("changed psgl.gamma", &start, &start));
}

#[test]
fn what_is_open_holds_neither_way() {
    let open = Moment::default();
    for check in ["recognised", "not recognised", "ssim > 0.5", "not ssim > 0.5", "psgl.gamma > 0.2"] {
        assert!(!holds(check, &open, &open), "{check}");
    }
    let not = Moment { recognised: Some(false), ssim: Some(0.3), ..Moment::default() };
    assert!(holds("not recognised and ssim < 0.5", &not, &open) && !holds("recognised", &not, &open));
    assert!(Condition::read("not recognised").unwrap().needs_luck());
    assert!(!Condition::read("judged and changed ssim").unwrap().needs_luck());
}

#[test]
fn a_wrong_check_says_what_would_do() {
    for (check, said) in [
        ("", "is empty"),
        ("drawm", "unknown word \"drawm\"; did you mean \"drawn\"?"),
        ("psgl.gama > 0.2", "did you mean \"psgl.gamma\"?"),
        ("cut", "cut needs a value to compare with: cut >= 4"),
        ("cut >=", "after \"cut >=\" a value is missing"),
        ("cut => 4", "allowed are = != < <= > >="),
        ("cut >= four", "this is no number"),
        ("cut >= nan", "this is no number"),
        ("cut >= 99", "can never hold: cut is from 1 to 63"),
        ("cut >= 1", "always holds, so it checks nothing"),
        ("psgl.gamma > 1", "can never hold: psgl.gamma is from 0 to 1"),
        ("strokes >= 0", "always holds"),
        ("psgl.apply = dense", "is no number"),
        ("attacker = rmel", "analytic; did you mean \"rmle\"?"),
        ("attacker > rmle", "has no order"),
        ("drawn = 1", "write \"drawn\" or \"not drawn\""),
        ("drawn stolen", "parts are joined by \"and\""),
        ("drawn or stolen", "there is no \"or\""),
        ("drawn and", "a part is missing"),
        ("not", "a part is missing"),
        ("more", "more what?"),
        ("more drawn", "is no number that could grow"),
        ("changed drawn", "has no value"),
        ("drawn; stolen", "';' has no meaning here"),
    ] {
        let error = Condition::read(check).unwrap_err();
        assert!(error.contains(said), "{check}: {error}");
    }
    assert!(Condition::read(&"drawn and ".repeat(50)).unwrap_err().contains("has 51 parts"));
}
