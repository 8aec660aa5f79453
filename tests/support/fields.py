"""What a browser would post back from a form page."""

import re

from flask.testing import FlaskClient


def form_of(client: FlaskClient, path: str) -> dict[str, str]:
    """The fields of a form page as a browser would post them back."""
    page = client.get(path).get_data(as_text=True)
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page))
    fields |= dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', page))
    for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields
