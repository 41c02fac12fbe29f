// In place of the theme's file of this name, half a megabyte of drawings of which pages use a few:
// icons come from the theme's styles, and from icons.woff (see plateau.css).
