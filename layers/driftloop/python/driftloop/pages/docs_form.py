"""The form that asks a model from the page itself, where a browser may: it cannot sign."""

from __future__ import annotations

import json
from html import escape

from driftloop.interface import Interface
from driftloop.openapi.examples import examples
from driftloop.openapi.service import Service

STYLE = """
form{border:1px solid var(--line);border-radius:.5rem;padding:.8rem;margin:1rem 0}
textarea,input,button{font:13px/1.45 ui-monospace,monospace;color:inherit;background:var(--paper);
border:1px solid var(--line);border-radius:.4rem;padding:.5rem}textarea{width:100%}
input{width:100%;margin-bottom:.5rem}button{cursor:pointer;font-family:inherit;padding:.5rem 1.2rem;
background:var(--now);border-color:var(--now);color:var(--paper)}output{display:block}
"""

SCRIPT = """<script>
for (const form of document.forms) form.onsubmit = async event => {
  event.preventDefault();
  const shown = form.querySelector('output'), headers = {'content-type': 'application/json'};
  if (form.token) headers.authorization = 'Bearer ' + form.token.value.trim();
  const say = text => {
    const block = document.createElement('pre');
    block.textContent = text;
    shown.replaceChildren(block);
  };
  try {
    const began = performance.now();
    const answer = await fetch(form.action, {method: 'POST', headers, body: form.body.value});
    const took = Math.round(performance.now() - began), text = await answer.text();
    let pretty = text;
    try { pretty = JSON.stringify(JSON.parse(text), null, 1); } catch {}
    say(answer.status + ' in ' + took + ' ms\\n\\n' + pretty);
  } catch (error) { say('No answer: ' + error.message); }
};
</script>"""


def form(service: Service, face: Interface, url: str) -> str:
    """Nothing where requests have to be signed."""
    if service.access == "iam":
        return ""
    token = (
        '<input name="token" placeholder="access token" aria-label="access token" '
        'autocomplete="off" required>'
        if service.access == "jwt"
        else ""
    )
    body = json.dumps(examples(face)["instances"], indent=1, ensure_ascii=False)
    return (
        f'<h3>Try it</h3><form action="{escape(url)}/predict" method="post">{token}'
        f'<textarea name="body" rows="{min(len(body.splitlines()), 20)}" spellcheck="false" '
        f'aria-label="request body">{escape(body)}</textarea>'
        "<button>Predict</button><output></output></form>"
    )
