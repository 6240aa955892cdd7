#!/usr/bin/env bash
# Renders docs/images/report.png: the top of the report that `fairdistill demo` writes.
# Usage: bash docs/images/render.sh REPORT.html; needs chromium and, in the current Python, Pillow.
set -euo pipefail
page=$(realpath "$1")
out=$(dirname "$(realpath "$0")")/report.png
profile=$(mktemp -d)
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
  --disable-component-update --disable-sync --user-data-dir="$profile" --hide-scrollbars --window-size=1200,1306 \
  --virtual-time-budget=8000 --screenshot="$profile/page.png" "file://$page" 2>/dev/null
python - "$profile/page.png" "$out" <<'END'
import sys

from PIL import Image, ImageOps

picture = Image.open(sys.argv[1]).convert("RGB")
content = ImageOps.invert(picture.convert("L")).point(lambda value: 255 * (value > 8))
picture = picture.crop((0, 0, picture.width, min(picture.height, content.getbbox()[3] + 24)))
picture.save(sys.argv[2], optimize=True)
END
rm -rf "$profile"
