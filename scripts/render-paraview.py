"""What scripts/render-paraview runs in pvbatch: FILE OUT.png [FIELD]."""
import os
import sys

from paraview.simple import (ColorBy, GetActiveViewOrCreate, GetColorTransferFunction, GetScalarBar, OpenDataFile,
                             ResetCamera, SaveScreenshot, Show)

file, picture = os.path.abspath(sys.argv[1]), sys.argv[2]  # the reader of XDMF wants the whole path
source = OpenDataFile(file)
if source is None:
    sys.exit(f"render-paraview: ParaView cannot open {file}")
source.UpdatePipeline()
times = list(getattr(source, "TimestepValues", None) or [0])

view = GetActiveViewOrCreate("RenderView")
view.ViewSize = [1200, 800]
view.UseColorPaletteForBackground = 0
view.Background = [1, 1, 1]
view.OrientationAxesVisibility = 0
view.ViewTime = times[-1]
source.UpdatePipeline(times[-1])

fields = source.PointData.keys()
field = sys.argv[3] if len(sys.argv) > 3 else fields[0]
if field not in fields:
    sys.exit(f"render-paraview: no field {field} in {file}; there are {', '.join(fields)}")
shown = Show(source, view)
shown.Representation = "Surface"
shown.Ambient, shown.Diffuse = 1, 0  # colours as on the bar
ColorBy(shown, ("POINTS", field))
shown.RescaleTransferFunctionToDataRange(False)
colours = GetColorTransferFunction(field)
colours.ApplyPreset("Viridis (matplotlib)", True)
bar = GetScalarBar(colours, view)
bar.Title, bar.ComponentTitle = field, ""
bar.AutomaticLabelFormat = 0
bar.RangeLabelFormat = bar.LabelFormat = "%.3g"
bar.WindowLocation = "Any Location"
bar.Position, bar.ScalarBarLength = [0.87, 0.25], 0.5
bar.TitleColor = bar.LabelColor = [0.1, 0.1, 0.1]
shown.SetScalarBarVisibility(view, True)
ResetCamera(view)
left, right, bottom, top, near, far = source.GetDataInformation().GetBounds()
if near == far:  # flat: fill the picture, leaving room for the bar
    view.CameraParallelProjection = 1
    view.CameraParallelScale = 0.55 * max(top - bottom, (right - left) * 800 / 950)
    middle = (left + right) / 2 + 0.1 * 2 * view.CameraParallelScale
    view.CameraFocalPoint = [middle, (bottom + top) / 2, near]
    view.CameraPosition = [middle, (bottom + top) / 2, near + 1]
SaveScreenshot(picture, view)
print(f"{picture}: {field} of {file}, time {times[-1]:g} of {len(times)}, "
      f"{source.GetDataInformation().GetNumberOfPoints()} points")
