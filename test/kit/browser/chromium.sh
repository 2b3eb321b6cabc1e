#!/bin/sh
# Starts $WCC_CHROMIUM, else Debian's headless shell, which takes half the CPU time of Chromium, else Chromium.
# Without the popups of the address bar: Chromium makes two hidden pages for them for each context, in a process of their
# own, which take longer than the pages of most tests.
# Chromium reads only the last --disable-features, so this extends the list that Playwright passes.
unused=PreloadTopChromeWebUI,WebUIOmniboxPopup,WebUIOmniboxAimPopup
found=
for arg do
  shift
  case $arg in --disable-features=*) arg=$arg,$unused found=1 ;; esac
  set -- "$@" "$arg"
done
[ -n "$found" ] || set -- "--disable-features=$unused" "$@"
shell=/usr/bin/chromium-headless-shell
[ -x "$shell" ] || shell=/usr/bin/chromium
exec "${WCC_CHROMIUM:-$shell}" "$@"
