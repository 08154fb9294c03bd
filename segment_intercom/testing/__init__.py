"""For tests of an application: a pytest plugin with a sandbox, a Messenger in the browser, and captured calls."""
