"""The TemplateRenderer on Jinja2."""
