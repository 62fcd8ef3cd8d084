"""Where OpenFace puts three landmarks of a face: indices of the 68, and their (x, y) in units of the crop's side.

Source: Amos, Ludwiczuk, Satyanarayanan, "OpenFace", CMU-CS-16-118, 2016.
"""

TEMPLATES = {
    "innerEyesAndBottomLip": ((39, 42, 57), ((0.36378494, 0.17794687), (0.6189632, 0.17277813),
                                             (0.50020397, 0.7505844))),
    "outerEyesAndNose": ((36, 45, 33), ((0.194157, 0.16926692), (0.7888591, 0.15817115), (0.4949509, 0.5144414))),
}
