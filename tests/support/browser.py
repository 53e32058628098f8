"""Debian's Chromium without a window, driven by Selenium; tests that need it skip without it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
ALONE = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"),
    *("disable-background-networking", "disable-component-update", "hide-scrollbars"),
)


@contextmanager
def browser(profile: Path) -> Iterator:
    """A browser with a profile of its own."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium and chromedriver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (*ALONE, f"user-data-dir={profile}"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def widen(driver, width: int, height: int = 900) -> None:
    """The page as on a screen so many pixels wide."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def prefer(driver, **features: str) -> None:
    """What the system asks for, such as `prefers_reduced_motion="reduce"`."""
    chosen = [{"name": n.replace("_", "-"), "value": value} for n, value in features.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": chosen})


def errors(driver) -> list[str]:
    """What the console has complained of since it was last asked."""
    return [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]


def hangs_over(driver) -> int:
    """By how many pixels the page is wider than the window."""
    return driver.execute_script("return document.documentElement.scrollWidth - innerWidth")


def until(condition, seconds: float = 20) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False
