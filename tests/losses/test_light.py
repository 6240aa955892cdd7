import subprocess
import sys

import pytest

from fairdistill import losses


def test_losses_load_neither_models_nor_data_nor_any_other_room():
    program = "import sys, fairdistill.losses; print(*(m for m in sys.modules if m.startswith('fairdistill.')))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    rooms = {name.split(".")[1] for name in shown.stdout.split()}
    assert "losses" in rooms
    assert rooms <= {"losses", "errors", "escaping", "types", "system", "contract", "_version"}


@pytest.mark.parametrize("name", losses.__all__)
def test_every_public_name_has_a_docstring(name):
    assert getattr(losses, name).__doc__
