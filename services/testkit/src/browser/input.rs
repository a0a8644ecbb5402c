//! What a person does in a window: click and type.

use super::page::{Page, find};
use chromiumoxide::cdp::browser_protocol::input::{
    DispatchKeyEventParams, DispatchKeyEventType, DispatchMouseEventParams, DispatchMouseEventType,
    InsertTextParams, MouseButton,
};

impl Page {
    /// Clicks `what` with the mouse, once it can be seen, is enabled, and nothing covers it.
    pub async fn click(&self, what: &str) {
        // A box that moves is not aimed at: a click would land where it was.
        let script = format!(
            "(async () => {{
                const e = {find};
                if (!e?.checkVisibility({{visibilityProperty: true}}) || e.disabled) return null;
                e.scrollIntoView({{block: 'center', behavior: 'instant'}});
                const middle = () => {{
                    const box = e.getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                }};
                const before = middle();
                await new Promise((done) => setTimeout(done, 60));
                const [x, y] = middle();
                if (x !== before[0] || y !== before[1]) return null;
                return e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
            }})()",
            find = find(what)
        );
        let (x, y): (f64, f64) = self.poll(&format!("{what} can be clicked"), &script).await;
        for kind in [
            DispatchMouseEventType::MouseMoved,
            DispatchMouseEventType::MousePressed,
            DispatchMouseEventType::MouseReleased,
        ] {
            let mut event = DispatchMouseEventParams::new(kind, x, y);
            event.button = Some(MouseButton::Left);
            event.click_count = Some(1);
            self.inner.execute(event).await.expect("a mouse");
        }
    }

    /// Replaces the value of the input `what` by typing.
    pub async fn fill(&self, what: &str, value: &str) {
        self.see(what).await;
        let script = format!("((e) => (e.focus(), e.select(), e.value))({})", find(what));
        let had: String = self.eval(&script).await;
        if !had.is_empty() {
            self.press("Backspace", 8, "").await;
        }
        self.inner
            .execute(InsertTextParams::new(value))
            .await
            .expect("a keyboard");
    }

    /// Presses Enter where the focus is.
    pub async fn enter(&self) {
        self.press("Enter", 13, "\r").await;
    }

    async fn press(&self, key: &str, code: i64, text: &str) {
        for kind in [DispatchKeyEventType::KeyDown, DispatchKeyEventType::KeyUp] {
            let mut event = DispatchKeyEventParams::new(kind.clone());
            event.key = Some(key.into());
            event.code = Some(key.into());
            event.windows_virtual_key_code = Some(code);
            if matches!(kind, DispatchKeyEventType::KeyDown) {
                event.text = Some(text.into());
            }
            self.inner.execute(event).await.expect("a keyboard");
        }
    }
}
