//! What a window looks like: screen, colours and pictures of it.

use super::page::Page;
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams,
};
use chromiumoxide::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, CaptureScreenshotParams, Viewport,
};
use std::path::Path;

/// A screen, in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    width: u32,
    height: u32,
    mobile: bool,
}

impl Size {
    /// A phone, held upright.
    pub const PHONE: Self = Self {
        width: 390,
        height: 844,
        mobile: true,
    };
    /// The narrowest screen that pages are made for.
    pub const NARROW: Self = Self {
        width: 320,
        height: 640,
        mobile: true,
    };
    /// A laptop.
    pub const DESKTOP: Self = Self {
        width: 1280,
        height: 800,
        mobile: false,
    };
}

/// What the person's system prefers.
#[derive(Debug, Clone, Copy)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Page {
    /// The screen and the colours that the page is seen with from now on.
    pub async fn look(&self, size: Size, scheme: Scheme) {
        let metrics =
            SetDeviceMetricsOverrideParams::new(size.width, size.height, 2.0, size.mobile);
        self.inner.execute(metrics).await.expect("a screen");
        let scheme = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let media = SetEmulatedMediaParams::builder()
            .feature(MediaFeature::new("prefers-color-scheme", scheme))
            .feature(MediaFeature::new("prefers-reduced-motion", "reduce"))
            .build();
        self.inner.execute(media).await.expect("a colour scheme");
    }

    /// Writes what can be seen, or the page's whole length, to a PNG file.
    pub async fn screenshot(&self, file: &Path, whole: bool) {
        self.inner.bring_to_front().await.expect("a window");
        let mut shot = CaptureScreenshotParams::builder()
            .format(CaptureScreenshotFormat::Png)
            .capture_beyond_viewport(whole);
        if whole {
            let metrics = self.inner.layout_metrics().await.expect("a layout");
            let content = metrics.css_content_size;
            shot = shot.clip(Viewport {
                x: 0.0,
                y: 0.0,
                width: content.width,
                height: content.height,
                scale: 1.0,
            });
        }
        self.inner
            .save_screenshot(shot.build(), file)
            .await
            .expect("a picture");
    }
}
