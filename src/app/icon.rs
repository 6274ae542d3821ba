//! The window's own picture in task bars and title bars.

use eframe::egui::IconData;

/// The icon, which `assets/icon/draw` draws from its one source.
const ICON: &[u8] = include_bytes!("../../assets/icon/cutlayer-128.png");

/// The icon's pixels; an empty one, for which the system shows its own, if they could not be decoded.
pub(super) fn icon() -> IconData {
    let Ok(image) = image::load_from_memory(ICON) else { return IconData::default() };
    let (width, height) = (image.width(), image.height());
    IconData { rgba: image.into_rgba8().into_raw(), width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_cut_into_a_blue_and_a_red_half() {
        let icon = icon();
        assert_eq!((icon.width, icon.height), (128, 128));
        let pixel = |x: usize, y: usize| &icon.rgba[4 * (128 * y + x)..][..4];
        assert_eq!(pixel(0, 0)[3], 0, "its corners are see-through");
        assert_eq!(pixel(26, 64), [0x56, 0xb4, 0xe9, 0xff]);
        assert_eq!(pixel(64, 64), [0xff; 4], "the cut");
        assert_eq!(pixel(100, 58), [0xff, 0x6b, 0x6b, 0xff]);
    }
}
