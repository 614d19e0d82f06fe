"""Panels for notebooks: the only imports of ipywidgets and anywidget."""
