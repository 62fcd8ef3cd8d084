"""Where landmarks of a face go: their indices, and their places (x, y) in units of the crop's side.

Source: Amos, Ludwiczuk, Satyanarayanan, "OpenFace", CMU-CS-16-118, 2016: its mean face, scaled to [0, 1].
"""

TEMPLATES = {                                           # of dlib's 68 landmarks
    "innerEyesAndBottomLip": ((39, 42, 57), ((0.36378494, 0.17794687), (0.6189632, 0.17277813),
                                             (0.50020397, 0.7505844))),
    "outerEyesAndNose": ((36, 45, 33), ((0.194157, 0.16926692), (0.7888591, 0.15817115), (0.4949509, 0.5144414))),
}
OUTER_RIGHT, OUTER_LEFT, NOSE = TEMPLATES["outerEyesAndNose"][1]
INNER_RIGHT, INNER_LEFT, _ = TEMPLATES["innerEyesAndBottomLip"][1]
FIVE_POINTS = {                                         # of dlib's five: corners of the eyes, base of the nose
    "innerEyesAndBottomLip": ((0, 1, 2, 3, 4), (OUTER_LEFT, INNER_LEFT, OUTER_RIGHT, INNER_RIGHT, NOSE)),
    "outerEyesAndNose": ((2, 0, 4), (OUTER_RIGHT, OUTER_LEFT, NOSE)),
}
# Of CelebA's five, the means of the mean face's: eyes, tip of the nose, corners of the mouth.
CELEBA_PLACES = ((0.27734, 0.16734), (0.70609, 0.15906), (0.49203, 0.42203), (0.30719, 0.64188), (0.69547, 0.63422))
CELEBA_POINTS = dict.fromkeys(TEMPLATES, ((0, 1, 2, 3, 4), CELEBA_PLACES))
ANCHORS = {"68": TEMPLATES, "5": FIVE_POINTS, "celeba": CELEBA_POINTS}
