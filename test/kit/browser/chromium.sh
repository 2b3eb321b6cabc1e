#!/bin/sh
# Starts Chromium ($WCC_CHROMIUM, else Debian's) without the popups of its address bar. It makes two hidden pages for
# them for each context, in a process of their own, which take longer than the pages of most tests.
# Chromium reads only the last --disable-features, so this extends the list that Playwright passes.
unused=PreloadTopChromeWebUI,WebUIOmniboxPopup,WebUIOmniboxAimPopup
found=
for arg do
  shift
  case $arg in --disable-features=*) arg=$arg,$unused found=1 ;; esac
  set -- "$@" "$arg"
done
[ -n "$found" ] || set -- "--disable-features=$unused" "$@"
exec "${WCC_CHROMIUM:-/usr/bin/chromium}" "$@"
