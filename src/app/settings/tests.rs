use eframe::egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::*;
use crate::app::test_look::{Shop, picture};

type State = (Shop, SettingsView, Vec<Act>, bool);

fn window(size: [f32; 2], preset: &str, filter: &str) -> Harness<'static, State> {
    window_of(size, Experiment::preset(preset).unwrap(), filter)
}

fn window_of(size: [f32; 2], experiment: Experiment, filter: &str) -> Harness<'static, State> {
    let shop = Shop { document: Document::new(experiment), ..Shop::default() };
    let view = SettingsView { filter: filter.to_owned(), ..SettingsView::default() };
    let draw = |ui: &mut Ui, (shop, view, acts, open): &mut State| {
        *open &= settings_ui(ui.ctx(), shop.look(), view, acts);
    };
    let mut harness = Harness::builder().with_size(size).build_ui_state(draw, (shop, view, Vec::new(), true));
    crate::app::theme::install(&harness.ctx);
    harness.run_steps(4);
    harness
}

fn set(key: &str, value: &str) -> Act {
    Act::Set(key.to_owned(), value.to_owned())
}

#[test]
fn the_filter_finds_a_setting_by_name_key_and_explanation() {
    for (filter, found, hidden) in [
        ("Strength", "Strength γ", "Batch"),
        ("psgl.mu", "Recovery threshold μ", "Thresholds in the curve"),
        ("luck", "Seed", "Device"),
        ("", "Strength γ", "No such"),
    ] {
        let harness = window([1280.0, 800.0], "quick", filter);
        assert!(harness.query_all_by_label(found).next().is_some(), "{filter}");
        assert!(harness.query_by_label(hidden).is_none(), "{filter}");
    }
    let mut harness = window([1280.0, 800.0], "quick", "qqqq");
    harness.get_by_label("No setting has “qqqq” in its name, key or explanation.");
    harness.get_by_label("Show all").click();
    harness.run_steps(3);
    assert!(harness.query_all_by_label("Seed").next().is_some());
}

#[test]
fn a_check_box_and_a_choice_ask_for_their_change() {
    let mut harness = window([1280.0, 800.0], "quick", "psgl.mirror");
    harness.get_by_role_and_label(Role::CheckBox, "Mirror case").click();
    harness.run_steps(2);
    assert_eq!(harness.state().2, [set("psgl.mirror", "false")]);
    let mut harness = window([1280.0, 800.0], "quick", "psgl.apply");
    harness.get_by_role_and_label(Role::ComboBox, "Disguise").click();
    harness.run_steps(3);
    harness.get_by_label("dense").click();
    harness.run_steps(2);
    assert_eq!(harness.state().2, [set("psgl.apply", "dense")]);
}

#[test]
fn an_attack_with_a_label_has_settings_of_its_own() {
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment.set("attack=[{ name = \"rmle\" }, { name = \"rmle\", label = \"smooth\" }]").unwrap();
    let mut harness = window_of([1280.0, 800.0], experiment, "attack.smooth.boxed");
    assert!(harness.query_by_label("Attack: rMLE").is_none());
    harness.get_by_label("Attack: smooth");
    harness.get_by_role_and_label(Role::CheckBox, "Keep in range").click();
    harness.run_steps(2);
    assert_eq!(harness.state().2, [set("attack.smooth.boxed", "false")]);
    harness.get_by_label("Launch smooth in the run").click();
    harness.run_steps(2);
    let Some(Act::Set(key, list)) = harness.state().2.last() else { panic!("nothing is asked for") };
    assert!(key == "attack" && list.contains("rmle") && !list.contains("smooth"), "{list}");
}

#[test]
fn a_list_is_taken_by_enter_and_a_wrong_one_is_refused_in_words() {
    let mut harness = window([1280.0, 800.0], "quick", "evaluate.gammas");
    let field = |harness: &mut Harness<'static, State>, text: &str| {
        harness.get_by_role_and_label(Role::TextInput, "Strengths in the curve").focus();
        harness.run_steps(2);
        harness.get_by_role_and_label(Role::TextInput, "Strengths in the curve").type_text(text);
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(2);
    };
    field(&mut harness, "0.1, 7");
    assert!(harness.state().2.is_empty());
    harness.get_by_label_contains("Strengths in the curve[1] = 7: allowed is a number above 0, up to 1");
    field(&mut harness, "0.1, 0.3");
    assert_eq!(harness.state().2, [set("evaluate.gammas", "[0.1, 0.3]")]);
    assert!(harness.query_by_label_contains("allowed is a number above 0").is_none());
}

#[test]
fn a_number_out_of_range_is_refused_and_one_in_it_is_taken() {
    let mut harness = window([1280.0, 800.0], "quick", "psgl.gamma");
    let type_in = |harness: &mut Harness<'static, State>, text: &str| {
        harness.get_by_label("Strength γ, number").focus();
        harness.run_steps(2);
        harness.get_by_label("Strength γ, number").type_text(text);
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(2);
    };
    type_in(&mut harness, "7");
    harness.get_by_label_contains("Strength γ = 7: allowed is");
    type_in(&mut harness, "0.25");
    assert_eq!(harness.state().2, [set("psgl.gamma", "0.25")]);
}

#[test]
fn attacks_are_switched_off_and_on_as_they_were() {
    let mut harness = window([1280.0, 800.0], "quick", "attack.rmle.iterations");
    harness.get_by_label("Launch rmle in the run").click();
    harness.run_steps(2);
    let perform = |harness: &mut Harness<'static, State>| {
        let (shop, _, acts, _) = harness.state_mut();
        let Some(Act::Set(key, value)) = acts.pop() else { panic!("nothing was asked for") };
        shop.document.set(&key, &value).unwrap();
        harness.run_steps(2);
    };
    perform(&mut harness);
    assert_eq!(harness.state().0.document.experiment().attacks.len(), 1);
    assert!(harness.query_by_role_and_label(Role::SpinButton, "Iterations").is_none());
    harness.get_by_label("Launch rmle in the run").click();
    harness.run_steps(2);
    perform(&mut harness);
    assert_eq!(harness.state().0.document.experiment(), &Experiment::preset("quick").unwrap());
}

#[test]
fn what_differs_can_be_reset_and_the_papers_value_set() {
    let mut harness = window([1280.0, 800.0], "quick", "psgl.map_norm");
    assert!(harness.query_by_label("Reset Map's norm").is_none());
    harness.get_by_label_contains("Set Map's norm to what stands paper: nuclear [E]").click();
    harness.run_steps(2);
    assert_eq!(harness.state().2, [set("psgl.map_norm", "nuclear")]);
    harness.state_mut().0.document.set("psgl.map_norm", "nuclear").unwrap();
    harness.run_steps(3);
    harness.get_by_label("1 setting differs from quick");
    harness.get_by_label("Reset Map's norm").click();
    harness.run_steps(2);
    assert_eq!(harness.state().2[1..], [set("psgl.map_norm", "l1")]);
}

#[test]
fn what_has_no_effect_cannot_be_changed() {
    let harness = window([1280.0, 800.0], "vanilla-digits", "twin");
    assert!(harness.get_by_role_and_label(Role::CheckBox, "Vanilla twin").accesskit_node().is_disabled());
    let harness = window([1280.0, 800.0], "psgl-digits", "twin");
    assert!(!harness.get_by_role_and_label(Role::CheckBox, "Vanilla twin").accesskit_node().is_disabled());
}

#[test]
fn a_named_model_is_chosen_from_the_menu() {
    let mut harness = window([1280.0, 800.0], "psgl-digits", "model.name");
    harness.get_by_label("Known models").click();
    harness.run_steps(3);
    harness.get_by_label("resnet8").click();
    harness.run_steps(2);
    assert_eq!(harness.state().2, [set("model.name", "resnet8")]);
}

#[test]
fn layers_are_listed_edited_and_checked() {
    let mut harness = window([1280.0, 800.0], "psgl-digits", "model.layers");
    harness.get_by_label("Edit list…").click();
    harness.run_steps(3);
    let text = "[\"relu\", \"flatten\", { linear = 10 }]";
    harness.state_mut().1.drafts.insert("model.layers", text.to_owned());
    harness.run_steps(2);
    harness.get_by_label("Apply").click();
    harness.run_steps(2);
    // The cut is after layer 4 and there are three.
    harness.get_by_label_contains("model.cut = 4: allowed is 1 to 2");
    assert!(harness.state().2.is_empty());
}

#[test]
fn texts_are_copied_and_pasted() {
    let mut harness = window([1280.0, 800.0], "quick", "");
    harness.state_mut().0.document.set("psgl.gamma", "0.3").unwrap();
    harness.run_steps(2);
    harness.get_by_label("Copy as --set").click();
    harness.run_steps(2);
    assert_eq!(harness.state().2, [Act::Copy("cutlayer run quick --set psgl.gamma=0.3".to_owned())]);
    harness.get_by_label("Paste…").click();
    harness.run_steps(2);
    let field = |harness: &mut Harness<'static, State>, text: &str| {
        harness.state_mut().1.paste.as_mut().unwrap().text = text.to_owned();
        harness.run_steps(2);
        harness.get_by_label("Take it").click();
        harness.run_steps(2);
    };
    field(&mut harness, "cutlayer run quick --set psgl.gamma=9");
    harness.get_by_label_contains("allowed is a number above 0");
    field(&mut harness, "cutlayer run quick --seed 3");
    let mut wanted = Experiment::preset("quick").unwrap();
    wanted.seed = 3;
    assert_eq!(harness.state().2.last(), Some(&Act::Take(Box::new(wanted))));
    assert!(harness.state().1.paste.is_none());
}

#[test]
fn escape_closes_but_not_while_something_is_typed() {
    let mut harness = window([1280.0, 800.0], "quick", "");
    harness.get_by_label("Find").focus();
    harness.run_steps(2);
    harness.key_press(Key::Escape);
    harness.step();
    assert!(harness.state().3);
    harness.run_steps(2);
    harness.key_press(Key::Escape);
    harness.step();
    assert!(!harness.state().3);
}

#[test]
fn a_frame_is_cheap() {
    let mut harness = window([1280.0, 800.0], "psgl-digits", "");
    let mut times: Vec<f64> = (0..60)
        .map(|_| {
            let begin = std::time::Instant::now();
            harness.step();
            begin.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("all settings: {:.2} ms median", times[30]);
    assert!(times[30] < 50.0, "{times:?}");
}

#[test]
fn pictures() {
    for (size, word) in [([900.0, 600.0], "900"), ([1280.0, 800.0], "1280"), ([600.0, 400.0], "600")] {
        let mut harness = window(size, "psgl-digits", "");
        harness.state_mut().0.document.set("psgl.gamma", "0.3").unwrap();
        harness.state_mut().0.document.set("seed", "3").unwrap();
        picture(&mut harness, &format!("settings-{word}"));
    }
    let mut harness = window([900.0, 600.0], "psgl-paper-digits", "psgl");
    harness.state_mut().1.troubles.insert("psgl.theta", "Step θ = 7: allowed is a number above 0, up to 1".to_owned());
    picture(&mut harness, "settings-psgl");
    let mut harness = window([1280.0, 800.0], "vanilla-digits", "model.");
    harness.get_by_label("Edit list…").click();
    harness.run_steps(3);
    harness.get_by_label("Paste…").click();
    picture(&mut harness, "settings-layers");
}
