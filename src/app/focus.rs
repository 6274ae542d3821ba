//! A ring around what has the keyboard, whatever it is, for those who go through the window by keys.

use eframe::egui::{Context, Id, Key, LayerId, Memory, Order, Stroke, StrokeKind};

/// Draws the ring. The mouse takes it away, Tab brings it back.
pub fn ring_ui(ctx: &Context) {
    let by_keys = Id::unique("who goes by keys");
    let (clicked, tabbed) = ctx.input(|input| (input.pointer.any_pressed(), input.key_pressed(Key::Tab)));
    let keys = ctx.data_mut(|data| {
        let keys = data.get_temp_mut_or_default::<bool>(by_keys);
        *keys = (*keys || tabbed) && !clicked;
        *keys
    });
    let Some(response) = ctx.memory(Memory::focused).filter(|_| keys).and_then(|id| ctx.read_response(id)) else {
        return;
    };
    // What is scrolled is seen in part; the ring stays within.
    let rect = response.interact_rect.expand(2.0);
    let color = ctx.global_style().visuals.strong_text_color();
    let layer = LayerId::new(response.layer_id.order.max(Order::Middle), by_keys.with(response.layer_id));
    let painter = ctx.layer_painter(layer).with_clip_rect(ctx.content_rect());
    painter.rect_stroke(rect, 4.0, Stroke::new(2.0, color), StrokeKind::Outside);
}
