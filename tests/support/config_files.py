"""What a ``config.toml`` means, or why it is refused."""

import time
from pathlib import Path

import pytest

from wxhelper.errors import ConfigurationError
from wxhelper.lookups import Lookups
from wxhelper.profiles import Profile, choose

DEV = '[profiles.dev]\nsource = "ibmcloud"\napi_key = "env:A"\n'
PROD = '[profiles.prod]\nsource = "ibmcloud"\napi_key = "env:B"\n'


def chosen(config: Path, named: str | None = None, **environ: str) -> Profile:
    lookups = Lookups(environ, wall=lambda: time.time() + 60)
    return choose(named, config=str(config), lookups=lookups)


def refused(config: Path, named: str | None = None, **environ: str) -> tuple[type, str, str]:
    """The error's class, message (the file shown as FILE) and remedy."""
    with pytest.raises(ConfigurationError) as caught:
        chosen(config, named, **environ)
    fault = caught.value
    return type(fault), *(s.replace(str(config), "FILE") for s in (fault.message, fault.remedy))
