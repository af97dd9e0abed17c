"""A browser for pages without scripts: enough to sign in and to consent."""

import html.parser
import urllib.parse


class Page(html.parser.HTMLParser):
    """The form of a page: where it goes, its hidden fields, its buttons."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields, self.buttons = None, {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        elif tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes["value"]
        elif tag == "button" and "name" in attributes:
            self.buttons.append((attributes["name"], attributes["value"]))


def sign_in(url, account, method="pwd", consent=True):
    """Walks the pages as a browser does; gives the parameters that the app gets."""
    import requests

    with requests.Session() as browser:
        reply = browser.get(url, allow_redirects=False, timeout=10)
        for _ in range(3):
            if reply.status_code == 302:
                answer = urllib.parse.urlsplit(reply.headers["location"])
                return dict(urllib.parse.parse_qsl(answer.query or answer.fragment))
            page = Page(reply.text)
            fields = dict(page.fields)
            if ("account", account) in page.buttons:
                fields |= {"account": account, "method": method}
            elif page.action and not page.action.startswith("/"):
                return fields
            else:
                fields["decision"] = "accept" if consent else "cancel"
            action = urllib.parse.urljoin(url, page.action)
            reply = browser.post(action, data=fields, allow_redirects=False, timeout=10)
    raise AssertionError(f"no way through: {reply.status_code} {reply.text}")
