namespace StreamEngine.Inference.Onnx;

/// <summary>What to do about an export that can't be read: the lines of Python that make one that can.</summary>
internal static class Remedies
{
    /// <summary>Probabilities instead of a label or of maps.</summary>
    public const string WithoutZipMap =
        "With skl2onnx: convert_sklearn(model, initial_types=..., options={id(model): {'zipmap': False}})";

    /// <summary>Any number of rows.</summary>
    public const string FreeRows = "Leave the number of rows open: initial_types=[('input', FloatTensorType([None, 13]))] with skl2onnx, "
        + "dynamic_axes={'input': {0: 'rows'}, 'output': {0: 'rows'}} with torch.onnx.export";

    /// <summary>Everything in the model's own file.</summary>
    public const string OneFile = "Export one file: torch.onnx.export(..., external_data=False), or "
        + "onnx.save(onnx.load('model.onnx'), 'whole.onnx') in the folder of both";

    /// <summary>Another description of the same graph.</summary>
    public const string Manifest = "Mend model.json, or write it anew by 'streamengine models add' with --inputs, --output, --class";

    /// <summary>A row that the model scores.</summary>
    public const string Example = "Where the model can't score a row of zeros (an encoder that refuses unknown categories), give one that "
        + "it can, one number for each input: 'example' in model.json, --example of 'streamengine models add'";
}
