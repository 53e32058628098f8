"""Clips as pictures: moving skeletons for a page, strips of poses and animations as SVG."""
