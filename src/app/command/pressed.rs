//! Commands that were given by keys.

use eframe::egui::{Context, Key, KeyboardShortcut, Modifiers};

use super::{CTRL, Command, NONE, commands};
use crate::app::typing::Typing;
use crate::app::{Act, Popup};

/// Keys that do what another command's do.
pub(super) const ALSO: [(Modifiers, Key, Act); 2] =
    [(CTRL, Key::P, Act::Popup(Some(Popup::Palette))), (CTRL, Key::Y, Act::Redo)];

/// What was asked for by keys since the last frame. Keys without Ctrl or a function key are left to a focused control,
/// and Undo to a field in which something was typed.
pub fn pressed(ctx: &Context, typing: &Typing) -> Vec<Act> {
    let busy = ctx.memory(|memory| memory.focused().is_some());
    let mut acts = Vec::new();
    let mut all: Vec<&Command> = commands().iter().filter(|command| command.keys.is_some()).collect();
    // The one with more modifiers first: Ctrl+Shift+Z is no Ctrl+Z.
    all.sort_by_key(|command| command.keys.map_or(0, |keys| -i32::from(keys.modifiers.shift)));
    // Also where the field has taken Ctrl+Shift+Z: a shortcut without Shift would be pressed with it, too.
    let with_shift: Vec<Key> = all
        .iter()
        .filter_map(|one| one.keys)
        .filter(|keys| keys.modifiers.shift)
        .map(|keys| keys.logical_key)
        .collect();
    let shift = ctx.input(|input| input.modifiers.shift);
    let table = all.into_iter().filter_map(|command| Some((command.keys?, &command.act)));
    let also = ALSO.iter().map(|(modifiers, key, act)| (KeyboardShortcut::new(*modifiers, *key), act));
    for (keys, act) in table.chain(also) {
        if shift && !keys.modifiers.shift && with_shift.contains(&keys.logical_key) {
            continue;
        }
        let plain = keys.modifiers == NONE && !is_function(keys.logical_key);
        let own = match act {
            Act::Undo => typing.takes_undo(),
            Act::Redo => typing.takes_redo(),
            Act::Patient(_) => busy,
            _ => plain && busy,
        };
        if own {
            continue;
        }
        if ctx.input_mut(|input| input.consume_shortcut(&keys)) {
            acts.push(act.clone());
        }
    }
    acts
}

fn is_function(key: Key) -> bool {
    key >= Key::F1 && key <= Key::F35
}
